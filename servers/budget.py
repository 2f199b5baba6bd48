"""What an episode may weigh: long observations are cut, endless episodes end.

A cut leaves a marker in the text that says how much is missing. Both happen before keys are taken,
so that a replay under the same limits sees the same replies.
"""

from dataclasses import replace

from ..envs import Reply
from ..envs.types import JsonValue
from .spec import Limits
from .watch import Cut


class Budget:
    """The bytes of one episode."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._spent = 0
        self.cuts: tuple[Cut, ...] = ()
        """What the limits did to the last reply."""

    def begin(self) -> None:
        """Start an episode."""
        self._spent = 0

    def pay(self, action: str, reply: Reply) -> Reply:
        """The reply within the limits; one that is no sound reply is left for the check of it."""
        self.cuts = ()
        size = _size(reply.observation if isinstance(reply, Reply) else None)  # pyright: ignore[reportUnnecessaryIsInstance]
        if size is None:
            return reply
        if size > self._limits.observation_bytes:
            observation = cut_text(reply.observation, self._limits.observation_bytes)
            reply = replace(reply, observation=observation)
            size = self._limits.observation_bytes
            self.cuts = ("observation",)
        self._spent += size + (_size(action) or 0)
        if self._spent < self._limits.episode_bytes or reply.done:
            return reply
        self.cuts = (*self.cuts, "episode")
        info: dict[str, JsonValue] = {**reply.info, "truncated_by": "episode_bytes"}
        return replace(reply, truncated=True, info=info)


def cut_text(text: str, max_bytes: int) -> str:
    """The beginning of a text and how many bytes are missing, in `max_bytes` altogether."""
    encoded = text.encode()
    room = max(0, max_bytes - len(_marker(len(encoded))))
    kept = encoded[:room].decode(errors="ignore")
    return kept + _marker(len(encoded) - len(kept.encode()))


def _marker(num_bytes: int) -> str:
    return f"\n[{num_bytes} bytes cut]"


def _size(text: object) -> int | None:
    """Length in UTF-8; None for what cannot be written so."""
    if not isinstance(text, str):
        return None
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return None

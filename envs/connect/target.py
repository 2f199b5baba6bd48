"""What a user names: servers, an environment on them, how they are spoken to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from ..errors import BadOption, near
from ..remote.address import checked_url, printable_token
from ..types import JsonValue, Options

AUTO, NATIVE, OPENENV, AGENTGYM = "auto", "native", "openenv", "agentgym"
AGENTGYM_WORLDS = ("alfworld", "babyai", "sciworld", "textcraft", "webshop")
KINDS = (AUTO, NATIVE, OPENENV, *(f"{AGENTGYM}:{world}" for world in AGENTGYM_WORLDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Where a foreign server keeps the texts; what is left out is found by rules.

    The rules: an action has exactly one required field, of type string, and that takes the text. An
    observation's text is its first field of `TEXT_FIELDS` (shapes.py) that holds a string, else the
    whole observation as compact JSON.
    """

    action_field: str | None = None
    """Field of the action that takes the text."""
    action_rest: Options = field(default_factory=dict[str, JsonValue])
    """Further fields of every action, such as `{"kind": "say"}`."""
    text_field: str | None = None
    """Field of the observation that holds its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Servers of one kind and the environment that is played on them."""

    urls: tuple[str, ...]
    env: str | None = None
    """None: the only one that the servers have."""
    kind: str = AUTO
    token: str | None = field(default=None, repr=False)
    shape: Shape = Shape()

    @property
    def world(self) -> str:
        """Which of AgentGym's servers it is; empty for all others."""
        return self.kind.partition(":")[2]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = near(self.kind, KINDS)
            kinds = ", ".join(KINDS)
            raise BadOption(f"kind must be one of {kinds}, got {self.kind!r}.{hint}")
        for url in self.urls:
            checked_url(url)
        if self.token is not None:
            printable_token(self.token)


def urls_of(given: object) -> tuple[str, ...]:
    """One URL or several, each once. Raises `BadOption` for anything else."""
    if isinstance(given, str):
        return (checked_url(given),)
    if not isinstance(given, Sequence) or not given:
        raise BadOption(
            f"expected the URL of a server, or a list of them, got {given!r:.80}; "
            "for example http://127.0.0.1:8000"
        )
    return tuple(dict.fromkeys(checked_url(url) for url in cast("Sequence[str]", given)))

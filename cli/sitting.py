"""One episode at the table: where it stands, where it was before, and the way back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from .. import GigymError
from ..envs import EnvCodeError, Reply, TextEnv, Unsupported


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One action and what it led to."""

    action: str
    observation: str
    reward: float
    state_key: str | None


class Sitting:
    """An episode that remembers its moves; `back` needs an environment with snapshots."""

    def __init__(self, env: TextEnv, seed: int) -> None:
        self._env = env
        with _border(env):
            self._first = env.start(seed)
        self._snapshots: list[bytes] = []
        self.reply: Reply = self._first
        """The latest answer."""
        self.moves: list[Move] = []
        """Moves so far, oldest first."""

    @property
    def total(self) -> float:
        """Return so far."""
        return sum(move.reward for move in self.moves)

    def take(self, action: str) -> None:
        """Apply one action."""
        with _border(self._env):
            snapshot = self._env.snapshot() if "snapshot" in self._env.card.caps else None
            reply = self._env.answer(action)
        self.reply = reply
        self.moves.append(
            Move(
                action=action,
                observation=reply.observation,
                reward=reply.reward,
                state_key=reply.state_key,
            )
        )
        if snapshot is not None:
            self._snapshots.append(snapshot)

    def back(self) -> None:
        """Undo the last action. Raises `Unsupported` where there is nothing to go back to."""
        if not self._snapshots:
            missing = "no move to take back" if not self.moves else "no snapshots to step back to"
            raise Unsupported(f"{self._env.card.id}: {missing}")
        with _border(self._env):
            self.reply = self._env.restore(self._snapshots.pop())
        self.moves.pop()

    def met_before(self) -> int | None:
        """The earliest turn whose state had the present key; None for a new state."""
        key = self.reply.state_key
        keys = [self._first.state_key, *(move.state_key for move in self.moves)]
        first = keys.index(key)
        return first if key is not None and first < len(keys) - 1 else None

    def record(self) -> dict[str, Any]:
        """The episode as JSON data."""
        return {
            "success": bool(self.reply.info.get("won", False)),
            "return": self.total,
            "terminated": self.reply.terminated,
            "truncated": self.reply.truncated,
            "observation": self._first.observation,
            "state_key": self._first.state_key,
            "turns": [asdict(move) for move in self.moves],
        }


@contextmanager
def _border(env: TextEnv) -> Iterator[None]:
    try:
        yield
    except GigymError:
        raise
    except Exception as error:
        raise EnvCodeError(f"{env.card.id} raised {type(error).__name__}: {error}") from error

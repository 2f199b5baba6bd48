"""What the agent has before its eyes when it acts: the token rows of one episode.

`AppendContext` grows one row over the whole episode; `WindowContext` renders a row per turn from
the last turns. Both hold exactly the ids the engine saw and sampled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..envs.types import Reply
from .prompt import Dialogue, Exchange, Ids
from .spec import RolloutSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a reply lies: `rows[row][start:stop]`."""

    row: int
    start: int
    stop: int


class Context(Protocol):
    """Makes prompts and remembers what was sampled after them."""

    def prompt(self, limit: int) -> Ids | None:
        """The next prompt; None when it cannot be brought under `limit` tokens."""
        ...

    def take(self, sampled: Sequence[int]) -> Span:
        """Keep what was sampled after the last prompt."""
        ...

    def observe(self, action: str, reply: Reply) -> None:
        """Go on after the action was answered."""
        ...

    def rows(self) -> tuple[NDArray[np.int32], ...]:
        """All rows, each up to its last sampled token."""
        ...


def open_context(dialogue: Dialogue, first: Reply, spec: RolloutSpec) -> Context:
    """The context of an episode that the environment opened with `first`."""
    if spec.context == "window":
        return WindowContext(dialogue, first, spec.history)
    return AppendContext(dialogue, first)


class AppendContext:
    """One row: every prompt is the last one, what was sampled and what came of it."""

    def __init__(self, dialogue: Dialogue, first: Reply) -> None:
        self._dialogue = dialogue
        self._ids: list[int] = list(dialogue.opening(first))
        self._sampled = Span(row=0, start=0, stop=0)

    def prompt(self, limit: int) -> Ids | None:
        """The row so far."""
        return tuple(self._ids) if len(self._ids) <= limit else None

    def take(self, sampled: Sequence[int]) -> Span:
        """Append what was sampled."""
        start = len(self._ids)
        self._ids.extend(sampled)
        self._sampled = Span(row=0, start=start, stop=len(self._ids))
        return self._sampled

    def observe(self, action: str, reply: Reply) -> None:
        """Append the environment's answer."""
        sampled = self._ids[self._sampled.start : self._sampled.stop]
        self._ids.extend(self._dialogue.following(sampled, reply))

    def rows(self) -> tuple[NDArray[np.int32], ...]:
        """The row; none before anything was sampled."""
        # What follows the last reply was never answered; nothing can be learned from it.
        stop = self._sampled.stop
        return (np.asarray(self._ids[:stop], np.int32),) if stop else ()


class WindowContext:
    """A row per turn: the task, the last `history` turns, the present answer.

    Where that does not fit, the oldest of the shown turns are left out first.
    """

    def __init__(self, dialogue: Dialogue, first: Reply, history: int) -> None:
        self._dialogue = dialogue
        self._first = self._reply = first
        self._history = history
        self._past: list[Exchange] = []
        self._prompt: Ids = ()
        self._rows: list[NDArray[np.int32]] = []

    def prompt(self, limit: int) -> Ids | None:
        """The largest window that fits."""
        shown = min(self._history, len(self._past))
        for skipped in range(len(self._past) - shown, len(self._past) + 1):
            past = self._past[skipped:]
            self._prompt = self._dialogue.window(self._first, skipped, past, self._reply)
            if len(self._prompt) <= limit:
                return self._prompt
        return None

    def take(self, sampled: Sequence[int]) -> Span:
        """Close a row."""
        self._rows.append(np.asarray((*self._prompt, *sampled), np.int32))
        start = len(self._prompt)
        return Span(row=len(self._rows) - 1, start=start, stop=start + len(sampled))

    def observe(self, action: str, reply: Reply) -> None:
        """Move the window on by a turn."""
        self._past.append(Exchange(observation=self._reply.observation, action=action))
        self._reply = reply

    def rows(self) -> tuple[NDArray[np.int32], ...]:
        """A row for each turn."""
        return tuple(self._rows)

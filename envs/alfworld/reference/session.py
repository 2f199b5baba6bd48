"""`Session`: one game in the TextWorld engine, whose process may die and is then replaced.

All sessions of a process share one child. A session keeps the commands that led to where it
stands; when its child is gone they are played again in another one. The child is ended with the
last session and the last lease.
"""

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import cast

from ...errors import EngineFailed, GameFileError
from ...types import JsonValue
from . import process
from .files import GameText
from .process import Answer, EngineDied, Worker

WATCHED = (
    *("opened", "inreceptacle", "objectatlocation", "isclean", "ishot", "iscool"),
    *("istoggled", "issliced", "atlocation", "holds", "not_inreceptacle"),
)
"""The facts that actions change and that decide what is possible or told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the engine showed after a reset or a command."""

    text: str
    admissible: tuple[str, ...]
    won: bool
    facts: Mapping[str, list[list[str]]]
    """Rows of the `WATCHED` predicates, in no particular order."""


class Session:
    """A running game of the reference engine."""

    def __init__(self, game: GameText, commands: tuple[str, ...] = ()) -> None:
        """Start a game and play `commands`.

        Raises `GameFileError` for a game that the engine refuses, `EngineFailed` when it fails.
        """
        self._game = game
        self.commands = list(commands)
        """Every accepted command so far: how to come to this state from the reset."""
        self._number, self._worker = _CHILD.enrol(), cast("Worker | None", None)
        weakref.finalize(self, _CHILD.leave, self._number)
        self.seen = _CHILD.turn(self._resume)
        """What the engine showed last."""

    def step(self, command: str) -> Seen:
        """Play one command. Raises `EngineFailed` when the engine hangs or dies twice."""
        accepted = command.strip() in self.seen.admissible
        self.seen = _CHILD.turn(lambda worker: self._step(worker, command))
        if accepted:
            self.commands.append(command)
        return self.seen

    def _step(self, worker: Worker, command: str) -> Seen:
        if self._worker is not worker:
            self._resume(worker)
        return _read(worker.ask({"do": "step", "session": self._number, "command": command}))

    def _resume(self, worker: Worker) -> Seen:
        answer = worker.ask(
            {
                "do": "start",
                "session": self._number,
                "game": self._game.tree(),
                "watched": list(WATCHED),
                "commands": [*self.commands],
            }
        )
        self._worker = worker
        if "refused" in answer:
            raise GameFileError(
                f"game {self._game.id!r}: TextWorld cannot load it: {answer['refused']}"
            )
        return _read(answer)


class Lease:
    """Keeps the child alive between sessions, for as long as it is kept itself."""

    def __init__(self) -> None:
        weakref.finalize(self, _CHILD.leave, _CHILD.enrol())


class _Child:
    """The child of this process, and whose turn it is to ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._open: set[int] = set()
        self._left: deque[int] = deque()
        self._numbers = count()

    def enrol(self) -> int:
        """The number of another session or lease."""
        number = next(self._numbers)
        self._open.add(number)
        return number

    def leave(self, number: int) -> None:
        """Called when one of them is collected, at any time and from any thread: never waits."""
        self._open.discard(number)
        self._left.append(number)
        if not self._open and self._lock.acquire(blocking=False):
            try:
                self._stop()
            finally:
                self._lock.release()

    def turn(self, ask: Callable[[Worker], Seen]) -> Seen:
        """Let a session ask; once more in another child when the first one dies."""
        if not self._lock.acquire(timeout=2 * process.ANSWER_SECONDS):
            raise EngineFailed("the TextWorld engine is busy with the games of other threads")
        try:
            try:
                return ask(self._ready())
            except EngineDied:
                self._worker = None
                return ask(self._ready())
        except EngineFailed:
            self._stop()
            raise
        finally:
            self._lock.release()

    def end(self) -> None:
        """End the child, at the end of the process."""
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """After a fork: the child and the lock belong to the other process."""
        if self._worker is not None:
            self._worker.abandon()
        self._lock, self._worker = threading.Lock(), None

    def _ready(self) -> Worker:
        if self._worker is None:
            self._left.clear()
            self._worker = Worker()
        if self._left:
            gone: list[JsonValue] = [self._left.popleft() for _ in range(len(self._left))]
            self._worker.ask({"do": "end", "sessions": gone})
        return self._worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


def _read(answer: Answer) -> Seen:
    if "failed" in answer:
        raise EngineFailed(f"the TextWorld engine failed: {answer['failed']}")
    return Seen(
        text=cast("str", answer["text"]),
        admissible=tuple(cast("list[str]", answer["admissible"])),
        won=cast("bool", answer["won"]),
        facts=cast("Mapping[str, list[list[str]]]", answer["facts"]),
    )


_CHILD = _Child()
atexit.register(_CHILD.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_CHILD.forget)

"""How far a download is, on stderr: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .terminal import drawable
from .text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from ..envs.download.types import Watcher

_PAUSE_S = 10.0
"""Between two lines about the same work."""
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is being done, and how much of it is."""

    name: str
    unit: str
    done: int
    total: int | None
    """None where nobody knows."""

    @property
    def far(self) -> str:
        """Such as `12.0 of 34.8 MiB`."""
        whole = "" if self.total is None else f" of {self._measure(self.total)}"
        return f"{self._measure(self.done)}{whole} {'MiB' if self.unit == 'bytes' else self.unit}"

    def _measure(self, count: int) -> str:
        return f"{count / _MIB:,.1f}" if self.unit == "bytes" else f"{count:,}"


def watcher() -> "AbstractContextManager[Watcher]":
    """What shows a download: bars on a terminal, plain lines elsewhere."""
    console = drawable()
    return nullcontext(Lines()) if console is None else Bars(console)


class Lines:
    """A line when work begins, one every ten seconds after, one when it is done."""

    def __init__(self) -> None:
        self._work = Work(name="", unit="", done=0, total=None)
        self._said_at = 0.0

    def start(self, name: str, done: int, total: int | None, unit: str = "bytes") -> None:
        """Say what begins and how large it is."""
        self._work = Work(name=name, unit=unit, done=done, total=total)
        self._say()

    def advance(self, count: int) -> None:
        """Say how far it is, unless that was said a moment ago."""
        self._work = replace(self._work, done=self._work.done + count)
        is_done = self._work.done == self._work.total
        if is_done or time.monotonic() - self._said_at >= _PAUSE_S:
            self._say()

    def note(self, text: str) -> None:
        """Print the line."""
        print(clean(text), file=sys.stderr, flush=True)

    def _say(self) -> None:
        self._said_at = time.monotonic()
        self.note(f"{self._work.name}: {self._work.far}")


class Bars:
    """Draws with rich; a context manager that leaves the terminal as it was."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[far]}"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
        )
        self._work = Work(name="", unit="", done=0, total=None)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def start(self, name: str, done: int, total: int | None, unit: str = "bytes") -> None:
        """One bar at a time; that of the work of before goes away."""
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._work = Work(name=name, unit=unit, done=done, total=total)
        far = self._work.far
        self._task = self._bars.add_task(clean(name), total=total, completed=done, far=far)

    def advance(self, count: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._work = replace(self._work, done=self._work.done + count)
            self._bars.update(self._task, completed=self._work.done, far=self._work.far)

    def note(self, text: str) -> None:
        """Print the line above the bar."""
        self._console.print(clean(text), markup=False)

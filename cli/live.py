"""The live view of a terminal: a row per iteration above one bar that says how long it takes.

Rows are printed, not redrawn, so that a long run scrolls as any log does; only the bar moves.
Columns that do not fit the width are left out, the least telling first.
"""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from ..trainer.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One figure of the row."""

    title: str
    metrics: tuple[str, ...]
    """Names whose sum is shown; nothing is shown when the first is missing."""
    form: str
    """Format of the figure, such as `.2f`."""
    weight: int
    """Columns of small weight are the first to go where the terminal is narrow."""
    minus: tuple[str, ...] = ()
    """Names taken off the sum."""

    @property
    def width(self) -> int:
        """Characters of the column."""
        return max(len(self.title), 7)

    def text(self, metrics: Mapping[str, float]) -> str:
        """The figure of one iteration, `-` where it was not measured."""
        if self.metrics[0] not in metrics:
            return "-"
        value = sum(metrics.get(name, 0.0) for name in self.metrics)
        return format(value - sum(metrics.get(name, 0.0) for name in self.minus), self.form)


COLUMNS = (
    Column(title="success", metrics=("success",), form=".1%", weight=9),
    Column(title="return", metrics=("return",), form=".2f", weight=8),
    Column(title="invalid", metrics=("rollout/invalid_share",), form=".1%", weight=7),
    Column(title="groups", metrics=("credit/step_groups",), form=".0f", weight=3),
    Column(title="alone", metrics=("credit/singleton_share",), form=".1%", weight=6),
    Column(title="size", metrics=("credit/mean_group_size",), form=".2f", weight=4),
    Column(title="grad", metrics=("loss/grad_norm",), form=".3f", weight=5),
    Column(title="kl", metrics=("loss/kl",), form=".1e", weight=2),
    Column(title="tok/s", metrics=("gen/tokens_per_s",), form=",.0f", weight=1),
    Column(title="rollout", metrics=("time/rollout",), form=".1f", weight=7),
    Column(title="learn", metrics=("time/learn",), form=".1f", weight=7),
    Column(
        title="other",
        metrics=("time/iteration",),
        minus=("time/rollout", "time/learn"),
        form=".1f",
        weight=0,
    ),
)
"""The row, left to right; times in seconds."""

_INDEX_WIDTH = 7


def fitting(columns: tuple[Column, ...], width: int) -> tuple[Column, ...]:
    """The weightiest columns that fit in `width` characters, in their order."""
    kept = sorted(columns, key=lambda column: -column.weight)
    while kept and _INDEX_WIDTH + sum(column.width + 2 for column in kept) > width:
        kept.pop()
    return tuple(column for column in columns if column in kept)


def listener() -> "AbstractContextManager[Progress]":
    """What shows a run on stderr: the live view on a terminal, plain lines elsewhere."""
    from ..trainer.progress import LineProgress

    if not sys.stderr.isatty():
        return nullcontext(LineProgress())
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return nullcontext(LineProgress()) if console.is_dumb_terminal else LiveProgress(console)


class LiveProgress:
    """Draws a run with rich; a context manager that leaves the terminal as it was."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = console
        self._columns = fitting(COLUMNS, console.width)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._headed = False

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

    def say(self, text: str) -> None:
        """Print the line above the bar."""
        self._console.print(clean(text), markup=False)

    def work(self, label: str, done: int, total: int) -> None:
        """Move the bar of this work; it goes away when the work ends."""
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(clean(label), total=total)
        self._bars.update(self._tasks[label], completed=done)
        if done >= total:
            self._bars.remove_task(self._tasks.pop(label))

    def iteration(self, metrics: Mapping[str, float], index: int, total: int) -> None:
        """Print the row, move the bar of the run."""
        if not self._headed:
            self._headed = True
            titles = "  ".join(column.title.rjust(column.width) for column in self._columns)
            self._console.print(f"{'':{_INDEX_WIDTH}}{titles}", style="bold", markup=False)
        row = "  ".join(column.text(metrics).rjust(column.width) for column in self._columns)
        self._console.print(f"{f'{index}/{total}':<{_INDEX_WIDTH}}{row}", markup=False)
        self.work("training", index, total)

"""The live view of a terminal: a row per iteration above one bar that says how long it takes.

Rows are printed, not redrawn, so that a long run scrolls as any log does; only the bar moves.
Columns that do not fit the width are left out, the least telling first.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from .terminal import drawable
from .text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from ..trainer.progress import Progress


Figure: TypeAlias = Callable[[Mapping[str, float]], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One figure of the row."""

    title: str
    figure: Figure
    """The figure of an iteration's metrics; None when it was not measured."""
    form: str
    """Format of the figure, such as `.2f`."""
    weight: int
    """Columns of small weight are the first to go where the terminal is narrow."""

    @property
    def width(self) -> int:
        """Characters of the column."""
        return max(len(self.title), 7)

    def text(self, metrics: Mapping[str, float]) -> str:
        """The figure of one iteration, `-` where it was not measured."""
        value = self.figure(metrics)
        return "-" if value is None else format(value, self.form)


def _metric(name: str) -> Figure:
    return lambda metrics: metrics.get(name)


def _sampled_per_second(metrics: Mapping[str, float]) -> float | None:
    tokens, seconds = metrics.get("rollout/tokens_sampled"), metrics.get("time/rollout")
    return tokens / seconds if tokens is not None and seconds else None


def _other_seconds(metrics: Mapping[str, float]) -> float | None:
    whole = metrics.get("time/iteration")
    named = metrics.get("time/rollout", 0.0) + metrics.get("time/learn", 0.0)
    return None if whole is None else whole - named


COLUMNS = (
    Column(title="success", figure=_metric("success"), form=".1%", weight=9),
    Column(title="return", figure=_metric("return"), form=".2f", weight=8),
    Column(title="invalid", figure=_metric("rollout/invalid_share"), form=".1%", weight=7),
    Column(title="groups", figure=_metric("credit/step_groups"), form=".0f", weight=3),
    Column(title="alone", figure=_metric("credit/singleton_share"), form=".1%", weight=6),
    Column(title="size", figure=_metric("credit/mean_group_size"), form=".2f", weight=4),
    Column(title="grad", figure=_metric("loss/grad_norm"), form=".3f", weight=5),
    Column(title="kl", figure=_metric("mismatch/kl"), form=".1e", weight=2),
    Column(title="tok/s", figure=_sampled_per_second, form=",.0f", weight=1),
    Column(title="rollout", figure=_metric("time/rollout"), form=".1f", weight=7),
    Column(title="learn", figure=_metric("time/learn"), form=".1f", weight=7),
    Column(title="other", figure=_other_seconds, form=".1f", weight=0),
)
"""The row, left to right; times in seconds."""

LEGEND = {
    "groups": "states in which siblings are compared",
    "alone": "turns in a state that no other turn met",
    "size": "turns per state",
    "kl": "drift between sampler and learner",
    "rollout": "seconds",
}
"""Titles that do not explain themselves."""

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

    console = drawable()
    return nullcontext(LineProgress()) if console is None else LiveProgress(console)


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
            self._console.print(self._legend(), style="dim", markup=False)
            titles = "  ".join(column.title.rjust(column.width) for column in self._columns)
            self._console.print(f"{'':{_INDEX_WIDTH}}{titles}", style="bold", markup=False)
        row = "  ".join(column.text(metrics).rjust(column.width) for column in self._columns)
        self._console.print(f"{f'{index}/{total}':<{_INDEX_WIDTH}}{row}", markup=False)
        self.work("training", index, total)

    def _legend(self) -> str:
        shown = {column.title for column in self._columns}
        return "; ".join(f"{title}: {text}" for title, text in LEGEND.items() if title in shown)

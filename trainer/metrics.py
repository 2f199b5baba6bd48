"""The run's ledger: flat finite numbers, one JSON line per iteration, never rewritten."""

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Stopwatch:
    """Exclusive timers of one iteration; what they leave of the wall time is `time/other`."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._spent: dict[str, float] = {}

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Add the time inside the block to `time/<name>`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + time.perf_counter() - began

    def metrics(self) -> dict[str, float]:
        """Seconds by name, with `time/iteration` for the whole."""
        wall = time.perf_counter() - self._started
        spent = {f"time/{name}": seconds for name, seconds in self._spent.items()}
        return {**spent, "time/other": wall - sum(spent.values()), "time/iteration": wall}


def append_metrics(path: Path, iteration: int, metrics: Mapping[str, float]) -> None:
    """Add a line; non-finite values are left out and counted under `nonfinite`."""
    finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
    dropped = len(metrics) - len(finite)
    line = {"step": iteration, "time": time.time(), **finite}
    if dropped:
        line["nonfinite"] = dropped
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_metrics(path: Path) -> list[dict[str, float]]:
    """All whole lines; a torn last line is left out."""
    return list(_whole_lines(path.read_text().splitlines())) if path.exists() else []


def _whole_lines(lines: Iterable[str]) -> Iterator[dict[str, float]]:
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return

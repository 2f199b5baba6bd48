"""What a run tells the person watching; the loop calls it, the command line draws it.

`LineProgress` is the plain form for logs, pipes and tests: every iteration is one line of
`key=value` pairs. The live table of a terminal lives in `cli/live.py`.
"""

import sys
import time
from collections.abc import Mapping
from typing import Protocol

SHOWN = (
    "success",
    "return",
    "rollout/invalid_share",
    "credit/step_groups",
    "credit/singleton_share",
    "credit/mean_group_size",
    "loss/grad_norm",
    "mismatch/kl",
    "rollout/tokens_sampled",
    "time/rollout",
    "time/learn",
    "time/iteration",
)
"""Metrics of the plain line, in order."""

_WORK_EVERY_S = 10.0


class Progress(Protocol):
    """Listener of a run."""

    def say(self, text: str) -> None:
        """One line of prose about what happens next."""
        ...

    def work(self, label: str, done: int, total: int) -> None:
        """`done` of the `total` units of a long work are behind us; equal numbers end it."""
        ...

    def iteration(self, metrics: Mapping[str, float], index: int, total: int) -> None:
        """Iteration `index` of `total` (from 1) ended with these metrics."""
        ...


class SilentProgress:
    """Says nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def work(self, label: str, done: int, total: int) -> None:
        """Nothing."""

    def iteration(self, metrics: Mapping[str, float], index: int, total: int) -> None:
        """Nothing."""


class LineProgress:
    """Plain lines on stderr."""

    def __init__(self) -> None:
        self._label = ""
        self._printed_at = 0.0

    def say(self, text: str) -> None:
        """Print the line."""
        print(text, file=sys.stderr, flush=True)

    def work(self, label: str, done: int, total: int) -> None:
        """Print how far it is: once in ten seconds, and when it ends."""
        if label != self._label:
            self._label, self._printed_at = label, time.monotonic()
        waited = time.monotonic() - self._printed_at
        if done < total and waited < _WORK_EVERY_S:
            return
        self._printed_at = time.monotonic()
        self.say(f"{label} {done}/{total}")
        if done >= total:
            self._label = ""

    def iteration(self, metrics: Mapping[str, float], index: int, total: int) -> None:
        """Print `key=value` pairs of the chosen metrics."""
        shown = " ".join(f"{name}={metrics[name]:.4g}" for name in SHOWN if name in metrics)
        self.say(f"iteration={index}/{total} {shown}")

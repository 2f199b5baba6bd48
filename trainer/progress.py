"""What a run tells the person watching; the loop calls it, the command line draws it."""

import sys
from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Listener of a run."""

    def say(self, text: str) -> None:
        """One line of prose about what happens next."""
        ...

    def iteration(self, metrics: Mapping[str, float], index: int, total: int) -> None:
        """Iteration `index` of `total` (from 1) ended with these metrics."""
        ...


class LineProgress:
    """Plain lines on stderr."""

    def say(self, text: str) -> None:
        """Print the line."""
        print(text, file=sys.stderr, flush=True)

    def iteration(self, metrics: Mapping[str, float], index: int, total: int) -> None:
        """Print `key=value` pairs of the chosen metrics."""
        shown = " ".join(f"{name}={metrics[name]:.4g}" for name in SHOWN if name in metrics)
        self.say(f"iteration {index}/{total} {shown}")


SHOWN = (
    "success",
    "return",
    "rollout/invalid_share",
    "credit/singleton_share",
    "credit/mean_group_size",
    "loss/grad_norm",
    "time/rollout",
    "time/learn",
)
"""Metrics of the plain line, in order."""

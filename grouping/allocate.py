"""How many siblings each task gets: the rollout budget as a knapsack with an exact greedy.

The value of N rollouts of a task that succeeds with chance p is the chance of a mixed group times
what it teaches, (1 - p^N - (1-p)^N) p (1-p)^2. It is concave in N, so giving one rollout after the
other to the largest gain is optimal; gains are divided by what a rollout costs (expected turns).
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .errors import BadColumns
from .types import IntRows


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessEstimate:
    """What is believed of a task's chance of success: a Beta with a memory that fades."""

    wins: float = 1.0
    losses: float = 1.0

    @property
    def mean(self) -> float:
        """Expected chance of success."""
        return self.wins / (self.wins + self.losses)

    def updated(self, wins: int, losses: int, decay: float = 0.9) -> "SuccessEstimate":
        """After a new group; earlier evidence beyond the uniform prior counts `decay` times."""
        return replace(
            self,
            wins=1.0 + decay * (self.wins - 1.0) + wins,
            losses=1.0 + decay * (self.losses - 1.0) + losses,
        )


def group_value(rollouts: int, success: float) -> float:
    """Value of a group of this many rollouts: chance of both outcomes times p (1-p)^2."""
    mixed = 1.0 - success**rollouts - (1.0 - success) ** rollouts
    return mixed * success * (1.0 - success) ** 2


def allocate(
    success: Sequence[float],
    budget: float,
    *,
    cost: Sequence[float] | None = None,
    n_low: int = 2,
    n_up: int = 128,
) -> IntRows:
    """Rollouts per task within the budget, at least `n_low` and at most `n_up` each.

    `budget` is in rollouts, or in the unit of `cost` per rollout where that is given. Among equal
    gains the earlier task comes first; what no longer fits is passed over. Raises `BadColumns`
    where the budget does not cover the minimum.
    """
    prices = [1.0] * len(success) if cost is None else [float(price) for price in cost]
    _check(success, prices, n_low, n_up)
    rollouts = [n_low] * len(success)
    left = budget - n_low * sum(prices)
    if left < 0:
        raise BadColumns(
            f"a budget of {budget:g} does not cover {n_low} rollouts of each of {len(success)} "
            f"tasks ({n_low * sum(prices):g}); raise it, or draw fewer tasks"
        )
    heap = [(-_gain(n_low, p) / c, i) for i, (p, c) in enumerate(zip(success, prices, strict=True))]
    heapq.heapify(heap)
    while heap:
        _, task = heapq.heappop(heap)
        if rollouts[task] >= n_up or prices[task] > left:
            continue
        rollouts[task] += 1
        left -= prices[task]
        heapq.heappush(heap, (-_gain(rollouts[task], success[task]) / prices[task], task))
    return np.array(rollouts, np.int64)


def _gain(rollouts: int, success: float) -> float:
    return group_value(rollouts + 1, success) - group_value(rollouts, success)


def _check(success: Sequence[float], prices: Sequence[float], n_low: int, n_up: int) -> None:
    if len(prices) != len(success):
        raise BadColumns(f"cost has {len(prices)} values, success has {len(success)}")
    if not all(0.0 <= p <= 1.0 for p in success):
        raise BadColumns(f"success must hold chances between 0 and 1, got {list(success)}")
    if not all(price > 0.0 for price in prices):
        raise BadColumns(f"cost must be positive, got {list(prices)}")
    if not 0 < n_low <= n_up:
        raise BadColumns(f"n_low and n_up must satisfy 0 < n_low <= n_up, got {n_low}, {n_up}")

"""From rewards to returns: discounting, penalties for invalid replies, episode scores."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from .ordered import Ordered
from .types import FloatRows, IntRows

PenaltyScope: TypeAlias = Literal["local", "propagated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """What a reply that is no action costs."""

    amount: float = 0.0
    scope: PenaltyScope = "local"
    """`local` blames the turn alone, after discounting; `propagated` enters the reward."""


def discounted(values: FloatRows, remaining: IntRows, gamma: float) -> FloatRows:
    """Discounted sums to the trajectory's end.

    The result of a row depends on the values from it to the end and on nothing else, so equal
    endings give bitwise equal returns.
    """
    return discounting(remaining, np.full(len(values), gamma))(values)


def discounting(remaining: IntRows, factor: FloatRows) -> Callable[[FloatRows], FloatRows]:
    """The map x -> y with y_i = x_i + factor_i * y_{i+1}, and y = x on last rows.

    By doubling the reach: O(rows * log(length)), the products prepared once.
    """
    stages: list[tuple[IntRows, int, FloatRows]] = []
    reach, product = 1, factor.copy()
    rows = np.flatnonzero(remaining >= reach)
    while len(rows):
        stages.append((rows, reach, product[rows]))
        product[rows] *= product[rows + reach]
        reach *= 2
        rows = rows[remaining[rows] >= reach]

    def apply(values: FloatRows) -> FloatRows:
        sums = values.astype(np.float64)
        for rows, reach, weight in stages:
            sums[rows] += weight * sums[rows + reach]
        return sums

    return apply


def step_returns(rows: Ordered, gamma: float, penalty: Penalty) -> FloatRows:
    """R_it of eq. 5 with the penalty in its scope; nothing follows a trajectory's last row."""
    fine = fines_of(rows, penalty)
    if penalty.scope == "propagated":
        return discounted(rows.reward - fine, rows.remaining, gamma)
    return discounted(rows.reward, rows.remaining, gamma) - fine


def episode_scores(rows: Ordered, penalty: Penalty) -> FloatRows:
    """S_i of eq. 3 per trajectory: undiscounted reward less every penalty."""
    return rows.trajectory.sum(rows.reward - fines_of(rows, penalty))


def fines_of(rows: Ordered, penalty: Penalty) -> FloatRows:
    """What each row is fined: the penalty where its reply was no action."""
    return np.where(rows.valid, 0.0, penalty.amount)

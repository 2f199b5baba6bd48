"""The formulas of verl-agent's `gigpo/core_gigpo.py`, for comparison and migration.

They differ from the paper: statistics over turns, so that a long trajectory counts more; an
epsilon added to the spread; the penalty of a turn moves that turn's score only; a lone row keeps
its raw score. float32 noise, duplicated rows and order dependence are not reproduced.
"""

import numpy as np

from ..groups import Groups, NormKind
from ..ordered import Ordered
from ..types import FloatRows

_EPSILON = 1e-6


def episode_advantages(
    rows: Ordered, penalties: FloatRows, kind: NormKind, per_trajectory: bool
) -> FloatRows:
    """A_E from row scores S_i - p * [this row invalid], against statistics of the task."""
    scores = rows.trajectory.sum(rows.reward)[rows.trajectory.ids] - penalties
    members, groups = scores, rows.task
    if per_trajectory:
        members, groups = scores[rows.first], rows.trajectory_task
    mean, spread = _statistics(members, groups)
    lone = groups.sizes < 2
    mean, spread = np.where(lone, 0.0, mean), np.where(lone, 1.0, spread)
    return _scaled(scores - mean[rows.task.ids], spread[rows.task.ids], kind)


def step_advantages(returns: FloatRows, groups: Groups, kind: NormKind) -> FloatRows:
    """A_S from returns against their step group; a group of one gives 0."""
    mean, spread = _statistics(returns, groups)
    return _scaled(returns - mean[groups.ids], spread[groups.ids], kind)


def _statistics(values: FloatRows, groups: Groups) -> tuple[FloatRows, FloatRows]:
    mean = groups.mean(values)
    squares = groups.sum((values - mean[groups.ids]) ** 2)
    return mean, np.sqrt(squares / np.maximum(groups.sizes - 1, 1))


def _scaled(deviation: FloatRows, spread: FloatRows, kind: NormKind) -> FloatRows:
    return deviation if kind == "mean" else deviation / (spread + _EPSILON)

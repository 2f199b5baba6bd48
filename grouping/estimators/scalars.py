"""One number per trajectory: GRPO and RLOO, and the episode term A_E that others share (eq. 3)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..groups import Norm, NormKind, normalise
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, step_returns
from ..types import FloatRows
from .options import NotNegative, Share
from .registry import estimator

Weighting = Literal["trajectory", "step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpoOptions:
    """Options of `grpo`."""

    norm: NormKind = "mean_std"
    """Divide by the standard deviation of the siblings' scores, or not."""
    episode_weighting: Weighting = "trajectory"
    """Count each trajectory once, or as often as it has turns."""
    gamma: Share = 0.95
    """Discount of the reported step returns; the advantage does not depend on it."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the score for each reply that is no action."""
    sigma_min: NotNegative = 1e-6
    """Smallest spread divided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RlooOptions:
    """Options of `rloo`."""

    gamma: Share = 0.95
    """Discount of the reported step returns; the advantage does not depend on it."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the score for each reply that is no action."""


@estimator("grpo")
def grpo(rows: Ordered, options: GrpoOptions) -> Parts:
    """Group-relative scores of the siblings, the same number for every turn (eq. 3)."""
    norm = Norm(kind=options.norm, floor=options.sigma_min)
    penalty = Penalty(amount=options.invalid_penalty)
    scores = episode_scores(rows, penalty)
    episode = episode_advantages(rows, scores, norm, options.episode_weighting)
    return _parts(rows, episode, step_returns(rows, options.gamma, penalty))


@estimator("rloo")
def rloo(rows: Ordered, options: RlooOptions) -> Parts:
    """Each sibling's score against the mean of the others; a lone sibling gets 0."""
    penalty = Penalty(amount=options.invalid_penalty)
    episode = leave_one_out(rows, episode_scores(rows, penalty))
    return _parts(rows, episode, step_returns(rows, options.gamma, penalty))


def leave_one_out(rows: Ordered, scores: FloatRows) -> FloatRows:
    """S_i less the mean of the other siblings, per row: N / (N - 1) times the deviation."""
    siblings = rows.trajectory_task.sizes[rows.task.ids]
    deviation = normalise(scores, rows.trajectory_task, Norm(kind="mean"))[rows.trajectory.ids]
    return deviation * siblings / np.maximum(siblings - 1, 1)


def _parts(rows: Ordered, episode: FloatRows, returns: FloatRows) -> Parts:
    return Parts(
        advantage=episode,
        episode=episode,
        step=np.zeros(len(rows)),
        returns=returns,
        groups=rows.nodes(),
    )


def episode_advantages(
    rows: Ordered, scores: FloatRows, norm: Norm, weighting: Weighting
) -> FloatRows:
    """A_E of eq. 3 per row from one score per trajectory; a lone sibling gets 0."""
    if weighting == "trajectory":
        return normalise(scores, rows.trajectory_task, norm)[rows.trajectory.ids]
    lone = rows.trajectory_task.sizes[rows.task.ids] < 2
    return np.where(lone, 0.0, normalise(scores[rows.trajectory.ids], rows.task, norm))

"""GiGPO (arXiv 2505.10978).

A_it = A_E(i) + omega * A_S(i, t) (eq. 8): siblings against each other (eq. 3), and turns that were
taken in the same state against each other (eq. 7).
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from ..errors import BadEstimatorOption
from ..groups import Groups, Norm, NormKind, group_by, normalise, rows_on_floor
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, PenaltyScope, episode_scores, fines_of, step_returns
from ..similarity import merged_level
from ..types import BoolRows, FloatRows, IntRows
from . import compat
from .options import Between, Count, NotNegative, Share
from .registry import estimator
from .scalars import Weighting, episode_advantages


@dataclass(frozen=True, slots=True, kw_only=True)
class GigpoOptions:
    """Options of `gigpo`; the defaults are the paper's."""

    gamma: Share = 0.95
    """Discount of the step returns."""
    omega: NotNegative = 1.0
    """Weight of the step advantage."""
    norm: NormKind = "mean_std"
    """Divide by the group's standard deviation, at both levels, or not."""
    episode_weighting: Weighting | None = None
    """Count each trajectory once (`trajectory`, the default) or as often as it has turns (`step`,
    the default under `compat`)."""
    invalid_penalty: NotNegative = 0.1
    """Taken off for each reply that is no action."""
    penalty_scope: PenaltyScope = "local"
    """Blame the turn alone, or the turns before it too."""
    sigma_min: NotNegative = 1e-6
    """Smallest spread divided by; raise it to mute groups that nearly tie."""
    ddof: Count = 1
    """Degrees of freedom taken off in the standard deviation."""
    backoff: tuple[str, ...] = ()
    """Key levels, fine to coarse; empty is the one level `anchor`."""
    similarity: Annotated[float, Between(0.0, 1.0)] | None = None
    """Merge keys that are texts and reach this `difflib` ratio; for QA and search tasks."""
    min_trajectories: Count = 1
    """A row uses the finest level whose group holds this many distinct trajectories."""
    compat: Literal["verl-agent"] | None = None
    """Reproduce the numbers of that code instead of the paper's formulas."""

    def __post_init__(self) -> None:
        changed = self.backoff or self.similarity is not None or self.penalty_scope != "local"
        if self.compat and changed:
            raise BadEstimatorOption(
                "compat='verl-agent' has one exact key level and local penalties; "
                "drop backoff, similarity and penalty_scope, or compat"
            )


@estimator("gigpo")
def gigpo(rows: Ordered, options: GigpoOptions) -> Parts:
    """Group-in-group policy optimisation: eq. 8 with statistics over trajectories."""
    penalty = Penalty(amount=options.invalid_penalty, scope=options.penalty_scope)
    returns = step_returns(rows, options.gamma, penalty)
    levels = [_compared(rows, name, options.similarity) for name in options.backoff or ("",)]
    episode, step, extra = _terms(rows, returns, levels, options)
    return Parts(
        advantage=episode + options.omega * step,
        episode=episode,
        step=step,
        returns=returns,
        groups=levels[0],
        extra=extra,
        figures={"std_floor_rows": rows_on_floor(returns, levels[0], _norm(options))},
    )


def _compared(rows: Ordered, name: str, similarity: float | None) -> Groups:
    if similarity is None or len(rows) == 0:
        return rows.nodes(name)
    return group_by(rows.task.ids, merged_level(rows, name, similarity).ids)


def _terms(
    rows: Ordered, returns: FloatRows, levels: list[Groups], options: GigpoOptions
) -> tuple[FloatRows, FloatRows, dict[str, IntRows]]:
    """A_E and A_S, exact or as verl-agent computes them."""
    penalty = Penalty(amount=options.invalid_penalty, scope=options.penalty_scope)
    if options.compat is not None:
        fines = fines_of(rows, penalty)
        per_trajectory = options.episode_weighting == "trajectory"
        episode = compat.episode_advantages(rows, fines, options.norm, per_trajectory)
        return episode, compat.step_advantages(returns, levels[0], options.norm), {}
    norm, weighting = _norm(options), options.episode_weighting or "trajectory"
    episode = episode_advantages(rows, episode_scores(rows, penalty), norm, weighting)
    step, level = backed_off(rows, returns, levels, norm, options.min_trajectories)
    return episode, step, {"level": level}


def _norm(options: GigpoOptions) -> Norm:
    return Norm(kind=options.norm, floor=options.sigma_min, ddof=options.ddof)


def _enough(rows: Ordered, groups: Groups, min_trajectories: int) -> BoolRows:
    """Rows whose group holds that many distinct trajectories."""
    if min_trajectories <= 1:
        return np.ones(len(rows), np.bool_)
    return (rows.trajectories_in(groups) >= min_trajectories)[groups.ids]


def backed_off(
    rows: Ordered, values: FloatRows, levels: list[Groups], norm: Norm, min_trajectories: int
) -> tuple[FloatRows, IntRows]:
    """A_S of eq. 7 at the finest level with enough trajectories, and that level (-1: none, 0)."""
    step, chosen = np.zeros(len(rows)), np.full(len(rows), -1)
    for i, groups in reversed(list(enumerate(levels))):
        enough = _enough(rows, groups, min_trajectories)
        step = np.where(enough, normalise(values, groups, norm), step)
        chosen = np.where(enough, i, chosen)
    return step, chosen

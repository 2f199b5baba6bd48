"""Estimators that compare along histories: HGPO and SALT."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from ..groups import Groups, Norm, NormKind, group_by, normalise
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, step_returns
from ..types import FloatRows, IntRows
from .options import Between, Count, NotNegative, Share
from .registry import estimator
from .scalars import Weighting, episode_advantages, leave_one_out

_ZERO = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class HgpoOptions:
    """Options of `hgpo`."""

    gamma: Share = 0.95
    """Discount of the step returns."""
    history: Count = 2
    """Longest history K; level k compares turns whose last k anchors agree, k = 1..K+1."""
    alpha: Annotated[float, Between(-64.0, 64.0)] = 1.0
    """Level k weighs (k + 1)^alpha."""
    norm: NormKind = "mean_std"
    """Divide by the group's standard deviation, or not."""
    base_group: bool = False
    """Add the step-weighted episode term as level 0 with weight 1."""
    drop: Literal["absent", "zero"] = "zero"
    """Leave out missing levels only, or, as released, also those that say 0 (discontinuous)."""
    ddof: Count = 0
    """Degrees of freedom taken off in the standard deviation."""
    invalid_penalty: NotNegative = 0.0
    """Taken off for each reply that is no action."""


@estimator("hgpo")
def hgpo(rows: Ordered, options: HgpoOptions) -> Parts:
    """Weighted mean over history lengths of the return against turns with the same history.

    arXiv 2602.22817, as its released code computes it.
    """
    penalty = Penalty(amount=options.invalid_penalty)
    returns = step_returns(rows, options.gamma, penalty)
    norm = Norm(kind=options.norm, ddof=options.ddof, tolerance=_ZERO)
    groups = histories(rows, options.history + 1)
    total, weights = np.zeros(len(rows)), np.zeros(len(rows))
    for k, group in enumerate(groups, start=1):
        present = (rows.position >= k - 1) & (group.sizes[group.ids] >= 2)
        term = normalise(returns, group, norm)
        counted = present & ((options.drop == "absent") | (abs(term) > _ZERO))
        total += np.where(counted, (k + 1.0) ** options.alpha * term, 0.0)
        weights += np.where(counted, (k + 1.0) ** options.alpha, 0.0)
    episode = np.zeros(len(rows))
    if options.base_group:
        episode = _base_term(rows, episode_scores(rows, penalty), options.norm)
        counted = (options.drop == "absent") | (abs(episode) > _ZERO)
        total, weights = total + np.where(counted, episode, 0.0), weights + 1.0 * counted
    advantage = np.where(weights > 0, total / np.maximum(weights, 1e-300), 0.0)
    return Parts(
        advantage=advantage, episode=episode, step=advantage, returns=returns, groups=groups[0]
    )


def _base_term(rows: Ordered, scores: FloatRows, kind: NormKind) -> FloatRows:
    return episode_advantages(rows, scores, Norm(kind=kind, tolerance=_ZERO), "step")


def histories(rows: Ordered, longest: int, *marks: IntRows) -> list[Groups]:
    """Rows by their last 1..`longest` anchors (and marks); a history stops at the start."""
    found = [rows.nodes() if not marks else group_by(rows.nodes().ids, *marks)]
    for _ in range(longest - 1):
        before = np.full(len(rows), 0)
        before[1:] = found[-1].ids[:-1] + 1
        before[rows.first] = 0
        found.append(group_by(found[0].ids, before))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SaltOptions:
    """Options of `salt`."""

    base: Literal["grpo", "rloo"] = "grpo"
    """Trajectory advantage that is averaged."""
    norm: NormKind = "mean_std"
    """Normaliser of the base `grpo`."""
    history: Count = 0
    """Preceding (anchor, action) pairs that must agree as well."""
    episode_weighting: Weighting = "trajectory"
    """Count each trajectory once in the base `grpo`, or as often as it has turns."""
    gamma: Share = 0.95
    """Discount of the reported step returns; the advantage does not depend on it."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the score for each reply that is no action."""


@estimator("salt")
def salt(rows: Ordered, options: SaltOptions) -> Parts:
    """The mean trajectory advantage over all occurrences of the row's edge (arXiv 2510.20022).

    The primary source was not read: the rule is the one that the GRAFT paper retells, `history` is
    our reading.
    """
    penalty = Penalty(amount=options.invalid_penalty)
    scores = episode_scores(rows, penalty)
    norm = Norm(kind=options.norm, tolerance=_ZERO)
    episode = (
        leave_one_out(rows, scores)
        if options.base == "rloo"
        else episode_advantages(rows, scores, norm, options.episode_weighting)
    )
    edges = _edges(rows, options.history)
    advantage = edges.mean(episode)[edges.ids]
    return Parts(
        advantage=advantage,
        episode=episode,
        step=advantage - episode,
        returns=step_returns(rows, options.gamma, penalty),
        groups=edges,
    )


def _edges(rows: Ordered, history: int) -> Groups:
    """Rows by (anchor, action, successor), or (anchor, action, end, terminated, reward)."""
    past = histories(rows, history + 1, rows.action)[-1]
    nodes = rows.nodes()
    follow = np.zeros(len(rows), np.int64)
    follow[:-1] = nodes.ids[1:] + 1
    follow[rows.last] = 0
    ending = np.zeros(len(rows), np.int64)
    paid = np.unique(rows.reward[rows.last], return_inverse=True)[1].reshape(-1)
    ending[rows.last] = 1 + 2 * paid + rows.terminated[rows.last]
    return group_by(past.ids, follow, ending)

"""Ours: `backoff_lambda` and its presets, credit from the finest key that has evidence.

Bias comes from keys that merge states, variance from the luck of the own suffix. So: bootstrap only
as far as the key can be trusted, back off where counts are small, and never divide by a spread of
a few rows without a floor.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..groups import Norm
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, fines_of, step_returns
from ..types import FloatRows
from .blend import SMALLEST_SPREAD, Blend, blended, root_mean_square
from .core import FROM_SOLVER, Pool, Problem, nested_graphs, solve
from .options import NotNegative, Share
from .registry import estimator
from .scalars import episode_advantages


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffOptions:
    """Options of `backoff_lambda`."""

    levels: tuple[str, ...] = ()
    """Key levels, fine to coarse and nested; empty takes all that the rows carry."""
    lambda_: Share = 0.8
    """1 trusts the trajectory's own return, 0 the value of the next state."""
    gamma: Share = 0.95
    """Discount."""
    kappa_v: NotNegative = 1.0
    """Pseudo-rows with which a node's value leans on its coarser level."""
    kappa_a: NotNegative = 1.0
    """Pseudo-rows with which a node's contrast leans on its coarser level."""
    pool: Pool = "row"
    """Credit a row by its own target or by its action's mean target."""
    norm: Literal["level_std", "task", "none", "mean_std", "mean"] = "level_std"
    """Divide by the node's spread at the level that supplies the credit, by the task's, or not.
    `mean_std` and `mean`, the names of other estimators, mean `level_std` and `none`."""
    floor: NotNegative = 0.1
    """Smallest spread, as a share of `reward_scale`."""
    reward_scale: NotNegative = 10.0
    """The environment's declared reward of a success; never estimated from a batch."""
    w_episode: NotNegative = 0.0
    """Weight of the episode term relative to the step term; at most 0.2 is advisable."""
    bootstrap_truncated: bool = False
    """Value the state a truncated row ended in instead of 0."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the reward of each reply that is no action."""
    tol: NotNegative = 1e-10
    """Largest remaining change of a value, relative to max(1, |V|)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkovOptions(BackoffOptions):
    """Options of `backoff_markov`."""

    lambda_: Share = 0.0
    pool: Pool = "action"


@estimator("backoff_lambda")
def backoff_lambda(rows: Ordered, options: BackoffOptions) -> Parts:
    """Lambda-returns on graph values; contrasts blended from coarse to fine by their evidence."""
    graphs = nested_graphs(rows, options.levels)
    penalty = Penalty(amount=options.invalid_penalty, scope="propagated")
    problem = Problem(
        reward=rows.reward - fines_of(rows, penalty),
        sink=np.zeros(len(rows)),
        gamma=options.gamma,
        trust=np.full(len(rows), 1.0 - options.lambda_),
        kappa_v=options.kappa_v,
        bootstrap=options.bootstrap_truncated,
        tolerance=options.tol,
    )
    solution = solve(rows, graphs, problem)
    step = blended(graphs, solution.targets, _blend(options), np.zeros(len(rows)))
    if options.norm == "task":
        size = root_mean_square(rows.task, step)[rows.task.ids]
        step = np.where(size > FROM_SOLVER, step / np.maximum(size, FROM_SOLVER), 0.0)
    scores = episode_scores(rows, penalty)
    episode = episode_advantages(rows, scores, Norm(kind="mean"), "trajectory")
    return Parts(
        advantage=step + options.w_episode * _matched(episode, step),
        episode=episode,
        step=step,
        returns=step_returns(rows, options.gamma, penalty),
        groups=graphs[0].nodes,
        bootstraps=_trusted(rows, options),
        compares_actions=True,
        needs_certificate=options.lambda_ < 0.5,
        figures={
            "solver_sweeps": float(solution.sweeps),
            "mean_lambda": options.lambda_,
        },
        extra={"V": solution.values[0][graphs[0].nodes.ids], "y": solution.targets},
    )


@estimator("backoff_markov")
def backoff_markov(rows: Ordered, options: MarkovOptions) -> Parts:
    """`backoff_lambda` for environments that certify their key: lambda 0, pooled by action."""
    return backoff_lambda(rows, options)


def _trusted(rows: Ordered, options: BackoffOptions) -> tuple[str, ...]:
    """The level whose values stand for what follows: the finest, unless returns alone count."""
    if options.lambda_ == 1.0:
        return ()
    return (options.levels[0] if options.levels else rows.levels[0].name,)


def _blend(options: BackoffOptions) -> Blend:
    scaled = options.norm in ("level_std", "mean_std")
    floor = max(options.floor * options.reward_scale, SMALLEST_SPREAD)
    return Blend(pool=options.pool, kappa=options.kappa_a, floor=floor if scaled else None)


def _matched(episode: FloatRows, step: FloatRows) -> FloatRows:
    """The episode term at the size of the step term, or at size 1 where that is nothing."""
    size = float(np.sqrt((episode**2).mean())) if len(episode) else 0.0
    target = float(np.sqrt((step**2).mean())) if len(step) else 0.0
    if size <= FROM_SOLVER:
        return np.zeros(len(episode))
    return episode * ((target if target > FROM_SOLVER else 1.0) / size)

"""Ours: `backoff_doubt`, which chooses by the environment's certificate and by what rows reveal.

Where the environment certifies its key, values follow the Bellman equation on counts and rows are
credited by their action's mean. Elsewhere values are mean returns, which no merged key can
compound, and a row's target trusts the next value only as far as that key shows no conflicts:

    y_i = r_i + gamma ((1 - lambda_i) V(next_i) + lambda_i y_{i+1})
    lambda_i = 1 - (1 - lambda) (1 - c)^d / ((1 - c)^d + c^d)

c is the share of rows at the next key that the alias detector finds in conflict: trust is halved
where half of the rows conflict. Both ways contrasts lean strongly on coarser levels, and below the
coarsest on the gain y - V, V drawn towards the task's mean by what few rows cannot tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Graph, outcome_conflicts
from ..groups import Norm
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, fines_of, step_returns
from ..types import FloatRows
from .blend import SMALLEST_SPREAD, Blend, blended, root_mean_square, spread
from .core import FROM_SOLVER, Problem, nested_graphs, row_targets, solve
from .options import NotNegative, Share
from .registry import estimator
from .scalars import episode_advantages

_FAR, _NEAR = 0.975, 0.95
"""Discounts where values are certified, and where returns carry their own luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtOptions:
    """Options of `backoff_doubt`."""

    levels: tuple[str, ...] = ()
    """Key levels, fine to coarse and nested; empty takes all that the rows carry."""
    gamma: Share | None = None
    """Discount; None is 0.975 for certified keys, whose values cost no variance, else 0.95."""
    lambda_: Share = 0.6
    """Of uncertified keys without a conflict: 1 trusts the own return, 0 the next value."""
    doubt: NotNegative = 3.0
    """How steeply trust falls where half of a key's rows conflict; 0 halves it everywhere."""
    kappa_v: NotNegative = 8.0
    """Pseudo-rows with which a node's value leans on its coarser level."""
    kappa_a: NotNegative = 3.0
    """Pseudo-rows with which a node's contrast leans on its coarser level."""
    gain: NotNegative = 0.7
    """Weight of the gain y - V below the coarsest level."""
    w_episode: NotNegative = 0.15
    """Weight of the episode term, at the size that the step term has in its task."""
    floor: NotNegative = 0.1
    """Smallest spread, as a share of `reward_scale`."""
    reward_scale: NotNegative = 10.0
    """The environment's declared reward of a success; never estimated from a batch."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the reward of each reply that is no action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Row targets, the values behind them, and how far those were trusted."""

    targets: FloatRows
    values: FloatRows
    """V of each row's own key at the finest level."""
    trust: FloatRows
    sweeps: int


@estimator("backoff_doubt")
def backoff_doubt(rows: Ordered, options: DoubtOptions) -> Parts:
    """Credit that trusts certified keys, doubts the others, and backs off where rows are few."""
    graphs = nested_graphs(rows, options.levels)
    gamma = (_FAR if rows.state_is_markov else _NEAR) if options.gamma is None else options.gamma
    penalty = Penalty(amount=options.invalid_penalty, scope="propagated")
    judged = _judged(rows, graphs, options, gamma, rows.reward - fines_of(rows, penalty))
    floor = max(options.floor * options.reward_scale, SMALLEST_SPREAD)
    pool = "action" if rows.state_is_markov else "row"
    gains = options.gain * _gains(rows, graphs[-1], judged, floor)
    blend = Blend(pool=pool, kappa=options.kappa_a, floor=floor)
    step = blended(graphs, judged.targets, blend, gains)
    scores = episode_scores(rows, penalty)
    episode = episode_advantages(rows, scores, Norm(kind="mean"), "trajectory")
    level = options.levels[0] if options.levels else rows.levels[0].name
    return Parts(
        advantage=step + options.w_episode * _sized(rows, episode, step),
        episode=episode,
        step=step,
        returns=step_returns(rows, gamma, penalty),
        groups=graphs[0].nodes,
        bootstraps=(level,),
        compares_actions=True,
        needs_certificate=False,
        figures={
            "solver_sweeps": float(judged.sweeps),
            "mean_lambda": float(1.0 - judged.trust.mean()) if len(rows) else 1.0,
        },
        extra={"V": judged.values, "y": judged.targets},
    )


def _judged(
    rows: Ordered,
    graphs: Sequence[Graph],
    options: DoubtOptions,
    gamma: float,
    reward: FloatRows,
) -> _Judged:
    certain = np.full(len(rows), float(rows.state_is_markov))
    problem = Problem(
        reward=reward,
        sink=np.zeros(len(rows)),
        gamma=gamma,
        trust=certain,
        kappa_v=options.kappa_v,
    )
    solution = solve(rows, graphs, problem)
    values = solution.values[0][graphs[0].nodes.ids]
    if rows.state_is_markov:
        return _Judged(
            targets=solution.targets, values=values, trust=certain, sweeps=solution.sweeps
        )
    level = options.levels[0] if options.levels else rows.levels[0].name
    share = np.append(_conflict_shares(rows, graphs[0], level), 1.0)[graphs[0].follow]
    trust = (1.0 - options.lambda_) * _faith(share, options.doubt)
    doubted = Problem(
        reward=reward,
        sink=np.zeros(len(rows)),
        gamma=gamma,
        trust=trust,
        kappa_v=options.kappa_v,
    )
    targets = row_targets(rows, graphs, solution.values, doubted)
    return _Judged(targets=targets, values=values, trust=trust, sweeps=solution.sweeps)


def _conflict_shares(rows: Ordered, graph: Graph, level: str) -> FloatRows:
    """Per node, the share of rows in repeated (key, action) pairs that had several outcomes.

    Shrunk by one pseudo-row to the task's share. In random worlds an upper bound, so that trust is
    lost which the key deserves: that costs variance, not bias.
    """
    repeated, conflict = outcome_conflicts(rows, level)
    seen, odd = rows.task.sum(repeated), rows.task.sum(conflict)
    of_task = np.where(seen > 0, odd / np.maximum(seen, 1.0), 0.5)[graph.task_of_node]
    return (graph.nodes.sum(conflict) + of_task) / (graph.nodes.sum(repeated) + 1.0)


def _faith(share: FloatRows, doubt: float) -> FloatRows:
    # against the larger of the two, so that a steep power leaves no 0 / 0
    larger = np.maximum(share, 1.0 - share)
    kept, lost = ((1.0 - share) / larger) ** doubt, (share / larger) ** doubt
    return kept / (kept + lost)


def _gains(rows: Ordered, coarsest: Graph, judged: _Judged, floor: float) -> FloatRows:
    """y - V about its task's mean, V drawn to the task's mean target by one pseudo-row."""
    task, visits = rows.task, coarsest.visits[coarsest.nodes.ids]
    usual = task.mean(judged.targets)[task.ids]
    gain = judged.targets - (visits * judged.values + usual) / (visits + 1.0)
    gain = gain - task.mean(gain)[task.ids]
    gain = np.where(abs(gain) <= FROM_SOLVER * np.maximum(1.0, abs(usual)), 0.0, gain)
    return gain / spread(task, gain, floor)


def _sized(rows: Ordered, episode: FloatRows, step: FloatRows) -> FloatRows:
    """The episode term at the size of its task's step term, or at size 1 where that is nothing."""
    given, wanted = (root_mean_square(rows.task, part) for part in (episode, step))
    known = np.where(wanted > FROM_SOLVER, wanted, 1.0)
    ratio = np.where(given > FROM_SOLVER, known / np.maximum(given, FROM_SOLVER), 0.0)
    return episode * ratio[rows.task.ids]

"""Estimators on shortest or best paths of the state graph: GraphGPO and RewardFlow.

Both take the extremum over observed edges where the family takes the mean: blind to frequency and
optimistic under stochastic transitions.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..graph import SINK, Graph, graph_of, successes
from ..groups import Norm, NormKind, normalise
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, step_returns
from ..types import BoolRows, FloatRows, IntRows
from .options import NotNegative, Share
from .registry import estimator
from .scalars import Weighting, episode_advantages

_FAR = np.inf
_TIE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphGpoOptions:
    """Options of `graphgpo`."""

    w: Share = 0.1
    """Decay per edge: 0.1 on ALFWorld, 0.2 on WebShop, 0.8 on Sokoban in the released scripts."""
    normalize_distance: bool = False
    """Decay by the detour d(next) - d(s) + 1 instead of d(next)."""
    norm: NormKind = "mean_std"
    """Divide by the group's standard deviation, or not."""
    truncated_next: Literal["sink", "node"] = "sink"
    """What a truncated episode ends in: nothing, or, as released, its last observation's node."""
    episode_weight: NotNegative = 1.0
    """Weight of the episode term."""
    episode_weighting: Weighting = "trajectory"
    """Count each trajectory once in the episode term, or (as released) once per turn."""
    gamma: Share = 0.95
    """Discount of the reported step returns; the advantage does not depend on it."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the episode score for each reply that is no action."""


@estimator("graphgpo")
def graphgpo(rows: Ordered, options: GraphGpoOptions) -> Parts:
    """10 w^d(next) against the rows of the same anchor, d the edges to success, plus A_E.

    arXiv 2605.26684, as its released code computes it, but for two details: the release weighs the
    episode term by turns and calls a truncated episode with a positive return a success.
    """
    graph = graph_of(rows)
    won = successes(rows)
    follow = graph.follow
    if options.truncated_next == "node":
        follow = np.where(graph.landing != SINK, graph.landing, follow)
    here, after = _distances(rows, graph, follow, won)
    steps = after - here + 1.0 if options.normalize_distance else after
    rho = 10.0 * options.w**steps
    norm = Norm(kind=options.norm, tolerance=_TIE)
    penalty = Penalty(amount=options.invalid_penalty)
    scores = episode_scores(rows, penalty)
    episode = episode_advantages(rows, scores, norm, options.episode_weighting)
    step = normalise(rho, graph.nodes, norm)
    return Parts(
        advantage=options.episode_weight * episode + step,
        episode=episode,
        step=step,
        returns=step_returns(rows, options.gamma, penalty),
        groups=graph.nodes,
        bootstraps=("",),
        extra={"distance": here, "distance_next": after, "rho": rho},
    )


def _distances(
    rows: Ordered, graph: Graph, follow: IntRows, won: BoolRows
) -> tuple[FloatRows, FloatRows]:
    """Edges to success from each row's node and from where the row leads.

    What cannot reach it is one farther than the farthest that can; without a success all are 1.
    """
    sink = np.full(len(rows), _FAR)
    sink[rows.last[won]] = 0.0
    far = np.full(graph.nodes.count, _FAR)

    def after(distance: FloatRows) -> FloatRows:
        return np.where(follow == SINK, sink, np.append(distance, _FAR)[follow])

    distance = far
    while True:
        nearer = distance.copy()
        np.minimum.at(nearer, graph.nodes.ids, after(distance) + 1.0)
        if np.array_equal(nearer, distance):
            break
        distance = nearer
    tasks = rows.task
    finite = np.isfinite(distance)
    farthest = np.zeros(tasks.count)
    np.maximum.at(farthest, graph.task_of_node[finite], distance[finite])
    limit = (farthest + 1.0)[tasks.ids]
    here, beyond = distance[graph.nodes.ids], after(distance)
    return np.minimum(here, limit), np.minimum(beyond, limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFlowOptions:
    """Options of `rewardflow`."""

    gamma: Share = 0.9
    """Decay of a reward per edge."""
    norm: NormKind = "mean"
    """Divide by the group's standard deviation, or not."""
    omega: NotNegative = 1.0
    """Weight of the step term."""
    episode_weighting: Weighting = "step"
    """Count each trajectory in the episode term once per turn, as released, or once."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the episode score for each reply that is no action."""


@estimator("rewardflow")
def rewardflow(rows: Ordered, options: RewardFlowOptions) -> Parts:
    """The gain in best reachable reward, V(next) - V(s), within the anchor, plus A_E.

    arXiv 2603.18859. Its code pays the raw reward to the last row of any trajectory that is the
    longest of its batch; here only truncated rows get it, which are those that reliably are.
    """
    graph = graph_of(rows)
    values = _reachable(rows, graph, options.gamma)
    last, terminated = rows.remaining == 0, rows.terminated
    gain = graph.after(values, rows.reward) - values[graph.nodes.ids]
    flow = np.where(last & ~terminated, rows.reward, gain)
    norm = Norm(kind=options.norm, tolerance=_TIE)
    penalty = Penalty(amount=options.invalid_penalty)
    scores = episode_scores(rows, penalty)
    episode = episode_advantages(rows, scores, norm, options.episode_weighting)
    step = normalise(flow, graph.nodes, norm)
    return Parts(
        advantage=episode + options.omega * step,
        episode=episode,
        step=step,
        returns=step_returns(rows, options.gamma, penalty),
        groups=graph.nodes,
        bootstraps=("",),
        extra={"V": values[graph.nodes.ids], "step_reward": flow},
    )


def _reachable(rows: Ordered, graph: Graph, gamma: float) -> FloatRows:
    """V(s) = max(own(s), gamma * max over successors of V), until nothing changes."""
    inner = graph.follow != SINK
    values = np.full(graph.nodes.count, -np.inf)
    np.maximum.at(values, graph.follow[inner], rows.reward[inner])
    starts = graph.nodes.ids[rows.first]
    values[starts] = np.maximum(values[starts], 0.0)
    sink = np.where(rows.terminated, rows.reward, -np.inf)
    while True:
        better = values.copy()
        np.maximum.at(better, graph.nodes.ids, gamma * graph.after(values, sink))
        if np.array_equal(better, values):
            return values
        values = better

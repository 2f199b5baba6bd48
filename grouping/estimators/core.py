"""The family: one parametrised estimator, and the published and own presets it carries.

Row targets run backward through each trajectory (specification of the lambda-return):

    y_i = r_i + gamma * ((1 - lambda) * V(next_i) + lambda * y_{i+1}),   y_last = r + gamma * b

V(s) is the mean of y over the rows at s, shrunk towards the coarser level where levels are given.
lambda = 1 is Monte Carlo (GiGPO's step term, RTMC); lambda = 0 is the Bellman equation on counts
(CRBC, GRAFT). Suffixes: one entry per row unless a name says per node.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import BadEstimatorOption
from ..graph import SINK, Graph, graph_of
from ..groups import Groups, group_by
from ..ordered import Ordered
from ..returns import discounting
from ..solve import fixed_point, node_values
from ..types import FloatRows, IntRows

Pool = Literal["row", "action"]

FROM_SOLVER = 1e-9
"""Values of a solver that differ by less than this, relative to max(1, |value|), are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What the targets are made of."""

    reward: FloatRows
    """Paid by each row."""
    sink: FloatRows
    """Value of the sink behind each trajectory's last row; other entries are not read."""
    gamma: float
    trust: FloatRows
    """1 - lambda per row: how far the value of the next state stands for what followed."""
    kappa_v: float = 0.0
    """Pseudo-rows that a node's value takes from its coarser level."""
    bootstrap: bool = False
    """Take V of the state a truncated row ended in, where some row starts from it."""
    tolerance: float = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Row targets and the values they agree with."""

    targets: FloatRows
    values: tuple[FloatRows, ...]
    """Per level, per node; finest level first."""
    sweeps: int


def solve(rows: Ordered, levels: Sequence[Graph], problem: Problem) -> Solution:
    """Targets and values that agree with each other.

    Exact without bootstrap for lambda = 1, and for lambda = 0 on one level; else by sweeps.
    """
    ladder = _Ladder.of(levels, problem.kappa_v)
    targets_of = _targets(rows, levels, ladder, problem)
    sweeps = 0
    if not problem.trust.any() and not problem.bootstrap:
        flat = np.zeros(ladder.offsets[-1])
    elif (problem.trust == 1.0).all() and len(levels) == 1 and not problem.bootstrap:
        nothing = np.zeros(levels[0].nodes.count)
        flat = node_values(levels[0], targets_of(nothing), problem.gamma)
    else:
        tasks: IntRows = np.concatenate([graph.task_of_node for graph in levels])
        flat, sweeps = fixed_point(
            lambda values: ladder.means(targets_of(values)),
            np.zeros(sum(group.count for group in ladder.groups)),
            Groups(ids=tasks, count=rows.task.count),
            problem.tolerance,
        )
    targets = targets_of(flat)
    values = np.split(ladder.means(targets), ladder.offsets[1:-1])
    return Solution(targets=targets, values=tuple(values), sweeps=sweeps)


def row_targets(
    rows: Ordered, levels: Sequence[Graph], values: Sequence[FloatRows], problem: Problem
) -> FloatRows:
    """Targets of all rows under given values of the nodes of every level, finest first."""
    ladder = _Ladder.of(levels, problem.kappa_v)
    return _targets(rows, levels, ladder, problem)(np.concatenate(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ladder:
    """Nodes of all levels in one array, finest level first, and how means are taken on them."""

    groups: tuple[Groups, ...]
    sizes: tuple[FloatRows, ...]
    parents: tuple[IntRows, ...]
    """Per level but the coarsest, the node of the next level that each node lies in."""
    offsets: IntRows
    """Where each level's nodes start, and the end."""
    kappa: float

    @classmethod
    def of(cls, levels: Sequence[Graph], kappa: float) -> "_Ladder":
        groups = tuple(graph.nodes for graph in levels)
        return cls(
            groups=groups,
            sizes=tuple(group.sizes.astype(np.float64) for group in groups),
            parents=tuple(coarse.ids[fine.first()] for fine, coarse in itertools.pairwise(groups)),
            offsets=np.cumsum([0, *(group.count for group in groups)]),
            kappa=kappa,
        )

    def means(self, targets: FloatRows) -> FloatRows:
        """Mean target of every node, shrunk from coarse to fine towards the parent's."""
        found: list[FloatRows] = []
        for i in reversed(range(len(self.groups))):
            total, size = self.groups[i].sum(targets), self.sizes[i]
            if found:
                total = total + self.kappa * found[-1][self.parents[i]]
                size = size + self.kappa
            found.append(total / size)
        return np.concatenate(found[::-1])


def _targets(
    rows: Ordered, levels: Sequence[Graph], ladder: _Ladder, problem: Problem
) -> Callable[[FloatRows], FloatRows]:
    """The affine map from values of all nodes to the targets of all rows."""
    last = rows.remaining == 0
    weight = problem.gamma * np.where(last, 1.0, problem.trust)
    after = levels[0].follow.copy()
    if problem.bootstrap:
        for graph, offset in zip(reversed(levels), ladder.offsets[-2::-1], strict=True):
            after = np.where(graph.landing != SINK, graph.landing + offset, after)
    paid = problem.reward + np.where(after == SINK, weight * problem.sink, 0.0)
    own = problem.gamma * (1.0 - problem.trust)
    along = discounting(rows.remaining, own) if own.any() else None

    def targets_of(values: FloatRows) -> FloatRows:
        targets = paid + weight * np.append(values, 0.0)[after]
        return along(targets) if along else targets

    return targets_of


def nested_graphs(rows: Ordered, names: Sequence[str]) -> list[Graph]:
    """The graphs of the levels, fine to coarse. Raises where a level is no refinement."""
    graphs = [graph_of(rows, name) for name in names or [level.name for level in rows.levels]]
    for i, (fine, coarse) in enumerate(itertools.pairwise(graphs)):
        if group_by(fine.nodes.ids, coarse.nodes.ids).count != fine.nodes.count:
            raise BadEstimatorOption(
                f"levels must be nested, each key a function of the finer one: level {i + 1} of "
                f"{list(names) or [level.name for level in rows.levels]} splits keys of level {i}"
            )
    return graphs

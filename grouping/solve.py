"""Values of state graphs: exact by elimination, or by accelerated sweeps.

`node_values` solves V(s) = mean over the rows that leave s of `paid + gamma * V(next)`. A node left
by one row has a known successor and is eliminated along its chain; what remains is solved densely,
task by task. `fixed_point` sweeps any affine contraction that does not mix tasks.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from .graph import SINK, Graph
from .groups import Groups
from .types import BoolRows, FloatRows, IntRows

_WINDOW = 4
_MAX_SWEEPS = 1000
_LARGEST_DENSE = 3000
"""Remaining nodes of one task beyond which sweeps are cheaper than a dense solve."""
_TIGHT = 1e-13


def node_values(graph: Graph, paid: FloatRows, gamma: float) -> FloatRows:
    """V per node for rows that pay `paid` and lead to `graph.follow`, a sink being worth 0."""
    tasks = Groups(ids=graph.task_of_node, count=int(graph.task_of_node.max(initial=-1)) + 1)
    single = graph.visits == 1
    if tasks.sum(~single).max(initial=0.0) > _LARGEST_DENSE:
        return fixed_point(
            lambda values: graph.nodes.mean(paid + gamma * np.append(values, 0.0)[graph.follow]),
            np.zeros(graph.nodes.count),
            tasks,
            _TIGHT,
        )[0]
    chains = _chains(graph, paid, single, gamma)
    values = np.append(np.zeros(graph.nodes.count), 0.0)
    values[:-1] = _dense_values(graph, paid, single, chains, gamma)
    return chains.offset + chains.factor * values[chains.target]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chains:
    """Per node, V = offset + factor * V(target), the target a remaining node or a sink."""

    offset: FloatRows
    factor: FloatRows
    target: IntRows


def _chains(graph: Graph, paid: FloatRows, single: BoolRows, gamma: float) -> _Chains:
    """Follow single nodes to the first other node, doubling the reach until all have arrived."""
    first = graph.nodes.first()
    offset = np.where(single, paid[first], 0.0)
    factor = np.where(single, gamma, 1.0)
    target = np.where(single, graph.follow[first], np.arange(graph.nodes.count))
    onward = np.append(single, False)
    moving = np.flatnonzero(single & onward[target])
    while len(moving):
        step = target[moving]
        offset[moving] += factor[moving] * offset[step]
        factor[moving] *= factor[step]
        target[moving] = target[step]
        moving = moving[onward[target[moving]]]
    return _Chains(offset=offset, factor=factor, target=target)


def _dense_values(
    graph: Graph, paid: FloatRows, single: BoolRows, chains: _Chains, gamma: float
) -> FloatRows:
    """V of the nodes that are not single, each task's linear system solved on its own."""
    values = np.zeros(graph.nodes.count)
    core = np.flatnonzero(~single)
    rows = np.flatnonzero(~single[graph.nodes.ids])
    rows = rows[np.argsort(graph.nodes.ids[rows], kind="stable")]
    source, landed = graph.nodes.ids[rows], graph.follow[rows]
    share = 1.0 / graph.visits[source]
    offset, target = np.append(chains.offset, 0.0)[landed], np.append(chains.target, SINK)[landed]
    income = np.bincount(source, share * (paid[rows] + gamma * offset), graph.nodes.count)
    weight = share * gamma * np.append(chains.factor, 0.0)[landed]
    tasks = np.arange(int(graph.task_of_node.max(initial=-1)) + 2)
    node_cut = np.searchsorted(graph.task_of_node[core], tasks)
    edge_cut = np.searchsorted(graph.task_of_node[source], tasks)
    place = np.cumsum(~single) - 1
    for task in np.flatnonzero(np.diff(node_cut)).tolist():
        nodes = core[node_cut[task] : node_cut[task + 1]]
        edges = slice(edge_cut[task], edge_cut[task + 1])
        inner = target[edges] != SINK
        size, base = len(nodes), int(node_cut[task])
        cells = (place[source[edges]] - base) * size + place[target[edges]] - base
        flow = np.bincount(cells[inner], weight[edges][inner], size * size).reshape(size, size)
        values[nodes] = np.linalg.solve(np.eye(size) - flow, income[nodes])
    return values


def fixed_point(
    sweep: Callable[[FloatRows], FloatRows], start: FloatRows, tasks: Groups, tolerance: float
) -> tuple[FloatRows, int]:
    """V with max|T(V) - V| <= tolerance * max(1, max|V|), and the sweeps it took.

    T must be an affine contraction that does not mix tasks. Each task's next point is the
    combination of its last images whose residuals cancel best (Anderson, type II). Where that
    does worse than before, the window is dropped and plain sweeps, which always converge, go on.
    """
    if len(start) == 0:
        return start, 0
    points, images = [start], [sweep(start)]
    best = np.inf
    for count in range(1, _MAX_SWEEPS):
        gap = float(abs(images[-1] - points[-1]).max())
        if gap <= tolerance * max(1.0, float(abs(images[-1]).max())):
            return images[-1], count
        if gap > 2.0 * best:
            points, images, best = points[-1:], images[-1:], np.inf
        best = min(best, gap)
        point = _combined(points, images, tasks)
        points, images = [*points[-_WINDOW:], point], [*images[-_WINDOW:], sweep(point)]
    return images[-1], _MAX_SWEEPS


def _combined(points: list[FloatRows], images: list[FloatRows], tasks: Groups) -> FloatRows:
    """Each task's affine combination of images with the smallest residual."""
    if len(points) == 1:
        return images[0]
    residuals = [image - point for point, image in zip(points, images, strict=True)]
    steps = [after - before for before, after in itertools.pairwise(residuals)]
    size = len(steps)
    square, mixed = np.empty((tasks.count, size, size)), np.empty((tasks.count, size, 1))
    for i in range(size):
        mixed[:, i, 0] = tasks.sum(steps[i] * residuals[-1])
        for j in range(i + 1):
            square[:, i, j] = square[:, j, i] = tasks.sum(steps[i] * steps[j])
    ridge = 1e-13 * np.trace(square, axis1=1, axis2=2)[:, None, None] + 1e-300
    weights = cast("FloatRows", np.linalg.solve(square + ridge * np.eye(size), mixed))
    weights = weights[tasks.ids, :, 0]
    combined = images[-1].copy()
    for i in range(size):
        combined -= weights[:, i] * (images[i + 1] - images[i])
    return combined

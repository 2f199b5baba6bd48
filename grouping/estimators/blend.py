"""From row targets to credit: contrasts at each key level, blended by the evidence behind them.

A contrast of an action's mean with the rest has variance sigma^2 / n_e, n_e = n_a (n - n_a) / n, so
n_e / (n_e + kappa) is the weight that a prior of kappa pseudo-rows leaves it; the rest of the
weight goes to the coarser level, and below the coarsest to what the caller falls back on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Graph
from ..groups import Groups
from ..types import FloatRows
from .core import FROM_SOLVER, Pool

SMALLEST_SPREAD = 1e-12
"""Divided by where the floor is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How contrasts become credit."""

    pool: Pool
    """Credit a row by its own target or by its action's mean target."""
    kappa: float
    """Pseudo-rows with which a level's contrast leans on what is coarser."""
    floor: float | None
    """Smallest spread that a level's contrasts are divided by; None: they are not."""


def blended(
    graphs: Sequence[Graph], targets: FloatRows, blend: Blend, fallback: FloatRows
) -> FloatRows:
    """Credit per row; `graphs` from fine to coarse, `fallback` stands below the coarsest."""
    credit = fallback
    for graph in reversed(graphs):
        difference = contrast(graph, targets, blend.pool)
        visits = graph.visits[graph.nodes.ids]
        same = graph.edges.sizes[graph.edges.ids]
        evidence = same * (visits - same) / np.maximum(visits, 1)
        weight = evidence / np.maximum(evidence + blend.kappa, 1e-300)
        if blend.kappa == 0.0 and graph is graphs[-1]:
            weight = np.ones(len(targets))
        scale = spread(graph.nodes, difference, blend.floor)
        credit = weight * difference / scale + (1.0 - weight) * credit
    return credit


def contrast(graph: Graph, targets: FloatRows, pool: Pool) -> FloatRows:
    """Each row's target, or its action's mean target, against the mean of its node.

    Differences that a solver cannot tell from 0 are 0, so that no spread divides them.
    """
    node = graph.nodes.mean(targets)[graph.nodes.ids]
    own = targets if pool == "row" else graph.edges.mean(targets)[graph.edges.ids]
    return np.where(abs(own - node) <= FROM_SOLVER * np.maximum(1.0, abs(node)), 0.0, own - node)


def root_mean_square(groups: Groups, values: FloatRows) -> FloatRows:
    """Root mean square of the values in each group."""
    return np.sqrt(groups.mean(values**2))


def spread(groups: Groups, difference: FloatRows, floor: float | None) -> FloatRows:
    """Root mean square of each row's group, no smaller than the floor; 1 without a floor."""
    if floor is None:
        return np.ones(len(difference))
    return np.maximum(root_mean_square(groups, difference), floor)[groups.ids]

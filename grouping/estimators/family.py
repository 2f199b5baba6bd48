"""Published presets of the core: `rtmc`, `crbc`, `crbc_raw`, `graft`."""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from ..graph import Graph, graph_of, successes
from ..groups import Norm, normalise
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, fines_of, step_returns
from .blend import contrast, root_mean_square
from .core import FROM_SOLVER, Problem, Solution, solve
from .options import Between, NotNegative, Share
from .registry import estimator
from .scalars import episode_advantages


@dataclass(frozen=True, slots=True, kw_only=True)
class RtmcOptions:
    """Options of `rtmc` and `crbc_raw`."""

    gamma: Share = 0.95
    """Discount."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the reward of each reply that is no action."""


@estimator("rtmc")
def rtmc(rows: Ordered, options: RtmcOptions) -> Parts:
    """Mean return of the action at the anchor, less the anchor's mean (arXiv 2604.11037).

    The primary source was not read; the formula is ours from later papers.
    """
    return _plain(rows, options, 1.0)


@estimator("crbc_raw")
def crbc_raw(rows: Ordered, options: RtmcOptions) -> Parts:
    """CRBC's Q - V in reward form, without its scaling and episode term."""
    return _plain(rows, options, 0.0)


def _plain(rows: Ordered, options: RtmcOptions, lambda_: float) -> Parts:
    graph = graph_of(rows)
    reward = rows.reward - fines_of(rows, Penalty(amount=options.invalid_penalty))
    nothing, trust = np.zeros(len(rows)), np.full(len(rows), 1.0 - lambda_)
    problem = Problem(reward=reward, sink=nothing, gamma=options.gamma, trust=trust)
    solution = solve(rows, [graph], problem)
    step = contrast(graph, solution.targets, "action")
    return Parts(
        advantage=step,
        episode=np.zeros(len(rows)),
        step=step,
        returns=step_returns(
            rows, options.gamma, Penalty(amount=options.invalid_penalty, scope="propagated")
        ),
        groups=graph.nodes,
        bootstraps=("",) if lambda_ < 1.0 else (),
        compares_actions=True,
        extra={"V": solution.values[0][graph.nodes.ids], "y": solution.targets},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrbcOptions:
    """Options of `crbc`."""

    beta: Share = 0.98
    """Discount of the chance of success."""
    sigma_min: NotNegative = 0.1
    """Floor of the spread at a state, on the scale where success is 1."""
    w_G: NotNegative = 1.0
    """Weight of the episode term."""
    w_S: NotNegative = 5.0
    """Weight of the step term."""
    depth: Annotated[int, Between(0)] | None = None
    """Bellman steps from the Monte Carlo targets; None is the fixed point."""
    invalid_penalty: NotNegative = 0.0
    """Taken off the episode score for each reply that is no action."""


@estimator("crbc")
def crbc(rows: Ordered, options: CrbcOptions) -> Parts:
    """Q - V of success on the counted graph, over its spread at the state, plus A_E.

    Boundaries are 1 behind a success and 0 behind every other end. States where one action was
    tried get no step credit.
    """
    graph, beta = graph_of(rows), options.beta
    solution = _success_values(rows, graph, beta, options.depth)
    advantage = contrast(graph, solution.targets, "action")
    sigma = root_mean_square(graph.nodes, advantage)[graph.nodes.ids]
    gate = (graph.actions_at() >= 2)[graph.nodes.ids]
    step = np.where(gate, advantage / np.maximum(sigma, options.sigma_min or 1e-12), 0.0)
    penalty = Penalty(amount=options.invalid_penalty)
    episode = episode_advantages(rows, episode_scores(rows, penalty), Norm(), "trajectory")
    return Parts(
        advantage=options.w_G * episode + options.w_S * step,
        episode=episode,
        step=step,
        returns=step_returns(rows, beta, penalty),
        groups=graph.nodes,
        bootstraps=("",) if options.depth != 0 else (),
        compares_actions=True,
        extra={
            "V": solution.values[0][graph.nodes.ids],
            "Q_minus_V": advantage,
            "sigma": sigma,
        },
    )


def _success_values(rows: Ordered, graph: Graph, beta: float, depth: int | None) -> Solution:
    """Targets of the discounted chance of success: fixed point, or `depth` steps from returns."""
    sink = successes(rows)[rows.trajectory.ids].astype(np.float64)
    nothing, full = np.zeros(len(rows)), np.ones(len(rows))
    problem = Problem(reward=nothing, sink=sink, gamma=beta, trust=full)
    if depth is None:
        return solve(rows, [graph], problem)
    targets = solve(rows, [graph], replace(problem, trust=nothing)).targets
    for _ in range(depth):
        targets = beta * graph.after(graph.nodes.mean(targets), sink)
    return Solution(targets=targets, values=(graph.nodes.mean(targets),), sweeps=depth)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraftOptions:
    """Options of `graft`."""

    gamma: Share = 0.99
    """Discount of the chance of success."""


@estimator("graft")
def graft(rows: Ordered, options: GraftOptions) -> Parts:
    """GRAFT without Graph-GAE: gamma V(next) - V(s), normalised over the rows of its node.

    Graph-GAE is left out on purpose: with edges counted by multiplicity it adds exactly 0 at the
    fixed point, with distinct edges it is biased.
    """
    graph = graph_of(rows)
    solution = _success_values(rows, graph, options.gamma, None)
    residual = contrast(graph, solution.targets, "row")
    step = normalise(residual, graph.nodes, Norm(tolerance=FROM_SOLVER))
    return Parts(
        advantage=step,
        episode=np.zeros(len(rows)),
        step=step,
        returns=step_returns(rows, options.gamma, Penalty()),
        groups=graph.nodes,
        bootstraps=("",),
        extra={"V": solution.values[0][graph.nodes.ids], "td": residual},
    )

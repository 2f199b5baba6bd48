"""Presets of the core: `rtmc`, `crbc`, `crbc_raw`, `graft`, `backoff_lambda`, `backoff_markov`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from ..graph import Graph, graph_of, successes
from ..groups import Groups, Norm, normalise
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, fines_of, step_returns
from ..types import FloatRows
from .core import Pool, Problem, Solution, contrast, nested_graphs, root_mean_square, solve
from .options import Between, NotNegative, Share
from .registry import estimator
from .scalars import episode_advantages

_FROM_SOLVER = 1e-9
"""Values of a solver that differ by less than this, relative to max(1, |value|), are equal."""


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
    problem = Problem(reward=reward, sink=np.zeros(len(rows)), gamma=options.gamma, lambda_=lambda_)
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
        extra={
            "V": solution.values[0][graph.nodes.ids],
            "Q_minus_V": advantage,
            "sigma": sigma,
        },
    )


def _success_values(rows: Ordered, graph: Graph, beta: float, depth: int | None) -> Solution:
    """Targets of the discounted chance of success: fixed point, or `depth` steps from returns."""
    sink = successes(rows)[rows.trajectory.ids].astype(np.float64)
    nothing = np.zeros(len(rows))
    problem = Problem(reward=nothing, sink=sink, gamma=beta, lambda_=0.0)
    if depth is None:
        return solve(rows, [graph], problem)
    targets = solve(
        rows, [graph], Problem(reward=nothing, sink=sink, gamma=beta, lambda_=1.0)
    ).targets
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
    step = normalise(residual, graph.nodes, Norm(tolerance=_FROM_SOLVER))
    return Parts(
        advantage=step,
        episode=np.zeros(len(rows)),
        step=step,
        returns=step_returns(rows, options.gamma, Penalty()),
        groups=graph.nodes,
        bootstraps=("",),
        extra={"V": solution.values[0][graph.nodes.ids], "td": residual},
    )


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
    norm: Literal["level_std", "task", "none"] = "level_std"
    """Divide by the node's spread at the level that supplies the credit, by the task's, or not."""
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
    """Ours: lambda-returns on graph values, credit from the finest key that has evidence.

    Bias comes from keys that merge states, variance from the luck of the own suffix: bootstrap
    only as far as lambda allows, back off where counts are small, never divide by a spread of a
    few rows without a floor.
    """
    graphs = nested_graphs(rows, options.levels)
    penalty = Penalty(amount=options.invalid_penalty, scope="propagated")
    problem = Problem(
        reward=rows.reward - fines_of(rows, penalty),
        sink=np.zeros(len(rows)),
        gamma=options.gamma,
        lambda_=options.lambda_,
        kappa_v=options.kappa_v,
        bootstrap=options.bootstrap_truncated,
        tolerance=options.tol,
    )
    solution = solve(rows, graphs, problem)
    step = _blended(graphs, solution.targets, options)
    if options.norm == "task":
        size = root_mean_square(rows.task, step)[rows.task.ids]
        step = np.where(size > _FROM_SOLVER, step / np.maximum(size, _FROM_SOLVER), 0.0)
    scores = episode_scores(rows, penalty)
    episode = episode_advantages(rows, scores, Norm(kind="mean"), "trajectory")
    return Parts(
        advantage=step + options.w_episode * _matched(episode, step),
        episode=episode,
        step=step,
        returns=step_returns(rows, options.gamma, penalty),
        groups=graphs[0].nodes,
        bootstraps=_trusted(rows, options),
        needs_certificate=options.lambda_ < 0.5,
        figures={"solver_sweeps": float(solution.sweeps)},
        extra={
            "V": solution.values[0][graphs[0].nodes.ids],
            "y": solution.targets,
        },
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


def _blended(graphs: Sequence[Graph], targets: FloatRows, options: BackoffOptions) -> FloatRows:
    """Contrasts from coarse to fine, each weighed by the evidence behind it.

    A contrast of an action's mean with the rest has variance sigma^2 / n_e with
    n_e = n_a (n - n_a) / n, so n_e / (n_e + kappa_a) is its posterior weight.
    """
    blended = np.zeros(len(targets))
    for graph in reversed(graphs):
        difference = contrast(graph, targets, options.pool)
        visits = graph.visits[graph.nodes.ids]
        same = graph.edges.sizes[graph.edges.ids]
        evidence = same * (visits - same) / np.maximum(visits, 1)
        weight = evidence / np.maximum(evidence + options.kappa_a, 1e-300)
        if options.kappa_a == 0.0 and graph is graphs[-1]:
            weight = np.ones(len(targets))
        scale = _scale(graph.nodes, difference, options)
        blended = weight * difference / scale + (1.0 - weight) * blended
    return blended


def _scale(nodes: Groups, difference: FloatRows, options: BackoffOptions) -> FloatRows:
    if options.norm != "level_std":
        return np.ones(len(difference))
    floor = max(options.floor * options.reward_scale, 1e-12)
    return np.maximum(root_mean_square(nodes, difference), floor)[nodes.ids]


def _matched(episode: FloatRows, step: FloatRows) -> FloatRows:
    """The episode term at the size of the step term, or at size 1 where that is nothing."""
    size = float(np.sqrt((episode**2).mean())) if len(episode) else 0.0
    target = float(np.sqrt((step**2).mean())) if len(step) else 0.0
    if size <= _FROM_SOLVER:
        return np.zeros(len(episode))
    return episode * ((target if target > _FROM_SOLVER else 1.0) / size)

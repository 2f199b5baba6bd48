"""Composable changes around any estimator: to the rewards before it, to the credit after it.

Before (`Steps` to `Steps`): `pay_progress`, `pay_novelty`, `pay_truncations`. After (`Credit` to
`Credit`): `virtual_sample`, `regroup`, `weigh_negatives`, `reward_surprise`. Each is off unless
called; the rules they apply are plain functions of arrays beside them. None of them costs a
rollout.
"""

from dataclasses import dataclass, replace

import numpy as np

from .estimators.core import Problem, solve
from .graph import SINK, Graph, graph_of, successes
from .groups import Groups, Norm, group_by, normalise
from .ordered import Ordered, ordered
from .returns import discounted
from .steps import Steps
from .types import Credit, FloatRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Bounds of the policy ratio: 1 - low where A < 0, 1 + high where A > 0."""

    low: float
    high: float


NGRPO_CLIP = Clip(low=0.16, high=0.24)
"""The asymmetric clip that NGRPO pairs with its virtual sample; for the learner's objective."""


def ngrpo_advantages(rewards: FloatRows, groups: Groups, m: int, r_max: float) -> FloatRows:
    """Scores against their group enlarged by m virtual members that earn r_max, over its spread.

    A group that all fails is pushed down by 1 / sqrt(N + 1) for m = 1; one that is constant at
    r_max gives 0.
    """
    virtual = np.repeat(np.arange(groups.count), m)
    enlarged = Groups(ids=np.concatenate([groups.ids, virtual]), count=groups.count)
    members = np.concatenate([rewards, np.full(len(virtual), r_max)])
    return normalise(members, enlarged, Norm())[: len(rewards)]


def canon_advantages(rewards: FloatRows, metric: FloatRows, groups: Groups, mu: float) -> FloatRows:
    """Scores against the half of the group on the other side of the metric (mu = 1), or its own.

    The lower half is the first floor(n / 2) by metric, ties in the given order; n = 1 gives 0.
    """
    order = np.lexsort((metric, groups.ids))
    sizes = groups.sizes
    rank = np.empty(len(rewards), np.int64)
    rank[order] = np.arange(len(rewards)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    high = (rank >= (sizes // 2)[groups.ids]).astype(np.int64)
    halves = Groups(ids=2 * groups.ids + high, count=2 * groups.count)
    means = halves.mean(rewards)
    own, other = means[halves.ids], means[2 * groups.ids + 1 - high]
    advantage = mu * (rewards - other) + (1.0 - mu) * (rewards - own)
    return np.where(sizes[groups.ids] < 2, 0.0, advantage)


def generalised_advantages(
    rewards: FloatRows, values: FloatRows, after: float, gamma: float, lambda_: float
) -> FloatRows:
    """GAE of one unfinished trajectory whose last state is worth `after`.

    T-PPO's rule passes the last row's own value as `after`; ours the graph value of the state that
    was reached.
    """
    following = np.append(values[1:], after)
    surprise = rewards + gamma * following - values
    return discounted(surprise, np.arange(len(rewards))[::-1].copy(), gamma * lambda_)


def best_of(values: FloatRows, k: int) -> FloatRows:
    """Chance that one of k independent attempts succeeds: 1 - (1 - V)^k."""
    return 1.0 - (1.0 - values) ** k


def surprise_ratios(mean_logprob: FloatRows, groups: Groups) -> FloatRows:
    """XRPO's eta = exp(s - mean of s over the group): below 1 for what the policy rarely writes."""
    return np.exp(mean_logprob - groups.mean(mean_logprob)[groups.ids])


def xrpo_advantages(
    advantage: FloatRows, eta: FloatRows, lambda_: float, kappa: float
) -> FloatRows:
    """Good rows gain min(max(lambda (1 - eta), 0), kappa A), so at most a share kappa of theirs."""
    bonus = np.minimum(np.maximum(lambda_ * (1.0 - eta), 0.0), kappa * advantage)
    return np.where(advantage > 0, advantage + bonus, advantage)


def episodic_novelty(steps: Steps) -> FloatRows:
    """1 / sqrt(n) at the n-th visit of an anchor in its trajectory; 0 for padding."""
    return steps.spread(1.0 / np.sqrt(_visit_numbers(ordered(steps))))


def pay_progress(steps: Steps, *, alpha: float = 3.0, k: int = 4) -> Steps:
    """Add alpha * (u(V(next)) - u(V(s))) to each reward, u the best-of-k transform (PAV, MRT).

    V is the undiscounted chance of success on the counted graph, 1 behind a success and 0 behind
    any other end. With k = 1 the sum telescopes and adds nothing to a lambda = 0 advantage.
    """
    rows, graph = ordered(steps), graph_of(ordered(steps))
    won = successes(rows)[rows.trajectory.ids].astype(np.float64)
    values = _graph_values(rows, graph, np.zeros(len(rows)), won, 1.0)
    potential = best_of(values, k)
    gain = graph.after(potential, won) - potential[graph.nodes.ids]
    return _with_reward(steps, rows.reward + alpha * gain)


def pay_novelty(steps: Steps, *, beta: float = 0.5, first_only: bool = False) -> Steps:
    """In tasks where every sibling failed, pay beta for states that are new in their episode.

    A visit earns beta / sqrt(its number in the episode), or beta at the first visit only, times
    1 / sqrt(visits of the state by all siblings). Keep beta within a tenth of the reward scale.
    """
    rows = ordered(steps)
    nodes, visit = rows.nodes(), _visit_numbers(rows)
    failed = rows.task.sum(successes(rows)[rows.trajectory.ids])[rows.task.ids] == 0
    fresh = 1.0 * (visit == 1) if first_only else 1.0 / np.sqrt(visit)
    bonus = beta * fresh / np.sqrt(nodes.sizes[nodes.ids])
    return _with_reward(steps, rows.reward + np.where(failed, bonus, 0.0))


def pay_truncations(steps: Steps, *, gamma: float = 0.95) -> Steps:
    """Pay truncated last rows gamma * V of the state they reached, where some row starts there.

    V is the discounted return on the counted graph with truncated ends worth 0.
    """
    rows, graph = ordered(steps), graph_of(ordered(steps))
    values = _graph_values(rows, graph, rows.reward, np.zeros(len(rows)), gamma)
    reached = np.append(values, 0.0)[graph.landing]
    return _with_reward(steps, rows.reward + np.where(graph.landing == SINK, 0.0, gamma * reached))


def virtual_sample(steps: Steps, credit: Credit, *, m: int = 1, r_max: float = 10.0) -> Credit:
    """NGRPO: the episode term against a group enlarged by m virtual wins of r_max.

    Keeps a signal where every sibling failed. It only pushes down there, so pair it with step
    credit or progress rewards, and with `NGRPO_CLIP`.
    """
    rows = ordered(steps)
    scores = rows.trajectory.sum(rows.reward)
    episode = ngrpo_advantages(scores, rows.trajectory_task, m, r_max)
    return _with_episode(steps, credit, episode[rows.trajectory.ids])


def regroup(steps: Steps, credit: Credit, metric: FloatRows, *, mu: float = 1.0) -> Credit:
    """CANON: the episode term against the siblings on the other side of a metric.

    `metric` has one value per row in the caller's order, such as entropy, tokens or invalid turns;
    a trajectory's metric is the mean over its rows.
    """
    rows = ordered(steps)
    per_trajectory = rows.trajectory.mean(np.asarray(metric, np.float64)[steps.order])
    scores = rows.trajectory.sum(rows.reward)
    episode = canon_advantages(scores, per_trajectory, rows.trajectory_task, mu)
    return _with_episode(steps, credit, episode[rows.trajectory.ids])


def weigh_negatives(credit: Credit, alpha: float) -> Credit:
    """Multiply negative advantages by alpha: below 1 forgives, 0 imitates the good rows only."""
    negative = credit.advantage < 0
    return replace(credit, advantage=np.where(negative, alpha * credit.advantage, credit.advantage))


def reward_surprise(
    steps: Steps,
    credit: Credit,
    mean_logprob: FloatRows,
    *,
    lambda_: float = 2.5,
    kappa: float = 0.5,
) -> Credit:
    """XRPO: raise positive advantages of successful trajectories that the policy found unlikely.

    `mean_logprob` has one value per row in the caller's order; a trajectory's is the mean over its
    rows, and it is compared with its siblings'.
    """
    rows = ordered(steps)
    per_trajectory = rows.trajectory.mean(np.asarray(mean_logprob, np.float64)[steps.order])
    eta = surprise_ratios(per_trajectory, rows.trajectory_task)[rows.trajectory.ids]
    before = credit.advantage[steps.order]
    raised = xrpo_advantages(before, eta, lambda_, kappa)
    won = successes(rows)[rows.trajectory.ids]
    return replace(credit, advantage=steps.spread(np.where(won, raised, before)))


def _graph_values(
    rows: Ordered, graph: Graph, reward: FloatRows, sink: FloatRows, gamma: float
) -> FloatRows:
    """V per node at the fixed point of the counted graph."""
    problem = Problem(reward=reward, sink=sink, gamma=gamma, trust=np.ones(len(rows)))
    return solve(rows, [graph], problem).values[0]


def _visit_numbers(rows: Ordered) -> FloatRows:
    """For each row, the how-manieth visit of its anchor in its trajectory it is, from 1."""
    visits = group_by(rows.trajectory.ids, rows.nodes().ids)
    order = np.argsort(visits.ids, kind="stable")
    start = np.cumsum(visits.sizes) - visits.sizes
    number = np.empty(len(rows))
    number[order] = np.arange(len(rows)) - start[visits.ids[order]] + 1.0
    return number


def _with_reward(steps: Steps, reward: FloatRows) -> Steps:
    return replace(steps, reward=np.where(steps.weight, steps.spread(reward), steps.reward))


def _with_episode(steps: Steps, credit: Credit, episode: FloatRows) -> Credit:
    """The credit with its episode part exchanged."""
    spread = steps.spread(episode)
    return replace(credit, advantage=credit.advantage - credit.episode + spread, episode=spread)

"""From groups of episodes to optimiser steps: credit, rows, mini-batches, means of what happened.

Mini-batches are cut by episode with a seeded permutation; no row is dropped or doubled.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..grouping import Credit, Group, Steps, estimate, estimator_options, with_backoff
from .batch import episode_rows, pack, without_idle_turns
from .config import Config
from .learner import Learner
from .loss import clipped_surrogate


def comparable(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups without those whose siblings were lost but for one: nothing to compare it with.

    A dropped group keeps its place, its episodes stand among the failures.
    """
    return tuple(
        group
        if len(group.trajectories) > 1
        else replace(group, trajectories=(), failures=(*group.trajectories, *group.failures))
        for group in groups
    )


def credit_of(groups: Sequence[Group], config: Config) -> Credit:
    """Advantages of an iteration by the configured estimator, with the options it takes."""
    taken = estimator_options(config.estimator)
    options = {k: v for k, v in config.credit.model_dump().items() if k in taken}
    steps = Steps.from_groups(groups)
    if "levels" in taken:
        steps = with_backoff(steps)
    return estimate(steps, config.estimator, **options)


def update(
    learner: Learner, groups: Sequence[Group], credit: Credit, config: Config, iteration: int
) -> dict[str, float]:
    """All optimiser steps of an iteration; answers `loss/*` and `mismatch/*`."""
    episodes = episode_rows(groups, credit.advantage)
    rng = random.Random(f"update:{config.seed}:{iteration}")
    shuffled = rng.sample(episodes, len(episodes))
    loss = clipped_surrogate(config.objective)
    keeps_idle = config.objective.kl_coef or config.objective.entropy_coef
    reports: list[dict[str, float]] = []
    for part in range(config.optim.updates_per_iteration):
        chosen = shuffled[part :: config.optim.updates_per_iteration]
        rows = [row for episode in chosen for row in episode]
        tokens = sum(row.trained for row in rows)
        if tokens:
            live = rows if keeps_idle else without_idle_turns(rows)
            reports.append(learner.step(pack(live, config.optim.bin_tokens), tokens, loss))
    return report_of(reports)


def report_of(reports: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the mini-batches that know a number, under `loss/`; the mismatch with the
    sampler from the first alone, which met the weights that sampled it.
    """
    names = dict.fromkeys(name for report in reports for name in report)
    means = {f"loss/{n}": float(np.mean([r[n] for r in reports if n in r])) for n in names}
    first = reports[0] if reports else {}
    return {**means, **{f"mismatch/{n}": first[n] for n in ("kl", "drift_max") if n in first}}

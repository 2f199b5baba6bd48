"""From groups of episodes to optimiser steps: credit, rows, mini-batches, means of what happened.

Mini-batches are cut by episode with a seeded permutation; no row is dropped or doubled.
"""

import random
from collections.abc import Sequence

import numpy as np

from ..grouping import Credit, Group, Steps, estimate, estimator_options, with_backoff
from .batch import episode_rows, pack, without_idle_turns
from .config import Config
from .learner import Learner
from .loss import clipped_surrogate


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
    return _mean_report(reports)


def _mean_report(reports: Sequence[dict[str, float]]) -> dict[str, float]:
    names = reports[0] if reports else {}
    means = {f"loss/{n}": float(np.mean([r.get(n, 0.0) for r in reports])) for n in names}
    first = {f"mismatch/{n}": reports[0][n] for n in ("kl", "drift_max") if n in names}
    return {**means, **first}

"""Which tasks are trained on, demonstrated and held out; the three never overlap.

Environments number their tasks by seed. Where they have a `test` split, held-out tasks come from
it; where a fixed set of games is given (a host option such as `games`), from the end of that set.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..envs import Task, card, make
from .config import Config
from .errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """Seeds of a run's tasks."""

    env_id: str
    train_options: Mapping[str, Any]
    """Options of the environments trained on."""
    heldout_options: Mapping[str, Any]
    """Options of the environments held out."""
    train_seeds: range
    """Tasks of the pool; with an unlimited pool, all that may be drawn."""
    demo_seeds: range
    """Tasks the expert demonstrates."""
    heldout_seeds: range
    """Tasks never trained on."""

    def tasks(self, seeds: Iterable[int]) -> tuple[Task, ...]:
        """The tasks of these seeds."""
        return tuple(Task(env=self.env_id, seed=seed) for seed in seeds)


def plan_tasks(config: Config) -> TaskPlan:
    """Lay the tasks of a run out. Raises `ConfigError` when the games do not suffice."""
    env_card = card(config.env.id)
    options = dict(config.env.options)
    fixed = any(name in options for name in env_card.host_options)
    pool = config.rollout.pool or 2**30
    heldout = config.eval.episodes
    demos = sum(stage.episodes for stage in config.warmstart.stages)
    own_split = "test" in env_card.splits and not fixed and options.get("split", "train") != "test"
    games = make(config.env.id, **options).num_tasks if fixed else None
    if games is None:
        first = config.warmstart.first_seed
        return TaskPlan(
            env_id=config.env.id,
            train_options=options,
            heldout_options={**options, "split": "test"} if own_split else options,
            train_seeds=range(min(pool, first)),
            demo_seeds=range(first, first + demos),
            heldout_seeds=range(heldout) if own_split else range(2**30, 2**30 + heldout),
        )
    return _plan_fixed(config, games, demos)


def _plan_fixed(config: Config, games: int, demos: int) -> TaskPlan:
    pool = config.rollout.pool
    heldout = min(config.eval.episodes, max(0, games - pool) // 2)
    rest = games - heldout
    if pool > games or rest < 1:
        raise ConfigError(
            f"rollout.pool: {pool} training games asked for, the set holds {games}; "
            f"set rollout.pool to at most {games}"
        )
    first_demo = pool if rest > pool else 0
    return TaskPlan(
        env_id=config.env.id,
        train_options=dict(config.env.options),
        heldout_options=dict(config.env.options),
        train_seeds=range(pool or rest),
        demo_seeds=range(first_demo, min(rest, first_demo + demos)),
        heldout_seeds=range(rest, games),
    )


def iteration_seeds(plan: TaskPlan, config: Config, iteration: int) -> list[int]:
    """Seeds of an iteration's groups: a pool is gone through in a fresh order each round."""
    size, wanted = len(plan.train_seeds), config.rollout.tasks
    places = range(iteration * wanted, (iteration + 1) * wanted)
    if config.rollout.pool == 0:
        return [plan.train_seeds[place % size] for place in places]
    return [_in_round(plan.train_seeds, config.seed, *divmod(place, size)) for place in places]


def _in_round(seeds: range, run_seed: int, round_index: int, place: int) -> int:
    order = list(seeds)
    random.Random(f"tasks:{run_seed}:{round_index}").shuffle(order)
    return order[place]

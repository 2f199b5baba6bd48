"""Which tasks are trained on, demonstrated and held out.

What is held out is never trained on or demonstrated. Training and demonstrations overlap only
where a fixed set of games is too small for both.

Environments number their tasks by seed. Where they have a `test` split, held-out tasks come from
it. A fixed set of games (a host option such as `games`) is shuffled once, the same way in every
run, then cut: training pool, demonstrations, held-out.
"""

import functools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..envs import Task, make
from .abroad import hosted_games
from .config import Config
from .errors import ConfigError
from .world import world_card

_UNLIMITED = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """Seeds of a run's tasks."""

    env_id: str
    train_options: Mapping[str, Any]
    """Options of the environments trained on."""
    heldout_options: Mapping[str, Any]
    """Options of the environments held out."""
    train_seeds: Sequence[int]
    """Tasks of the pool; with an unlimited pool, all that may be drawn."""
    eval_seeds: Sequence[int]
    """Training tasks that are scored before and after."""
    demo_seeds: Sequence[int]
    """Tasks the expert demonstrates."""
    heldout_seeds: Sequence[int]
    """Tasks never trained on."""

    def tasks(self, seeds: Iterable[int]) -> tuple[Task, ...]:
        """The tasks of these seeds."""
        return tuple(Task(env=self.env_id, seed=seed) for seed in seeds)


def plan_tasks(config: Config) -> TaskPlan:
    """Lay the tasks of a run out.

    Raises `ConfigError` when the games do not suffice, `ServerError` when the servers of `env.urls`
    cannot be asked for theirs.
    """
    env_card = world_card(config)
    options = dict(config.env.options)
    games = _fixed_games(config)
    if games is not None:
        return _plan_fixed(config, games)
    first = config.warmstart.first_seed
    has_test = "test" in env_card.splits and options.get("split", "train") != "test"
    if config.rollout.pool > first:
        raise ConfigError(
            f"rollout.pool: {config.rollout.pool} training tasks reach into the demonstrations, "
            f"which begin at warmstart.first_seed={first}; set a larger first_seed"
        )
    seeds = range(config.rollout.pool or first)
    held = config.eval.episodes
    return TaskPlan(
        env_id=config.env.id,
        train_options=options,
        heldout_options={**options, "split": "test"} if has_test else options,
        train_seeds=seeds,
        eval_seeds=seeds[: config.rollout.pool or held],
        demo_seeds=range(first, first + _demos(config)),
        heldout_seeds=range(held) if has_test else range(_UNLIMITED, _UNLIMITED + held),
    )


def _fixed_games(config: Config) -> int | None:
    """Size of the fixed set of games that is played, here or at servers; None where it has none."""
    if config.env.urls:
        return hosted_games(config)
    options = dict(config.env.options)
    if any(options.get(name) for name in world_card(config).host_options):
        return make(config.env.id, **options).num_tasks
    return None


def _plan_fixed(config: Config, games: int) -> TaskPlan:
    pool, held = config.rollout.pool, config.eval.episodes
    held = min(held, max(0, games - pool) // 2)
    rest = games - held
    if pool > games or rest < 1:
        raise ConfigError(
            f"rollout.pool: {pool} training games asked for, the set holds {games}; "
            f"set rollout.pool to at most {games}"
        )
    order = random.Random("games of a fixed set").sample(range(games), games)
    train = order[: pool or rest]
    return TaskPlan(
        env_id=config.env.id,
        train_options=dict(config.env.options),
        heldout_options=dict(config.env.options),
        train_seeds=train,
        eval_seeds=train[: pool or held],
        demo_seeds=(order[pool:rest] or train)[: _demos(config)],
        heldout_seeds=order[rest:],
    )


def _demos(config: Config) -> int:
    return sum(stage.episodes for stage in config.warmstart.stages)


def iteration_seeds(plan: TaskPlan, config: Config, iteration: int) -> list[int]:
    """Seeds of an iteration's groups: the tasks are gone through in a fresh order each round."""
    size, wanted = len(plan.train_seeds), config.rollout.tasks
    places = range(iteration * wanted, (iteration + 1) * wanted)
    rounds = (divmod(place, size) for place in places)
    return [plan.train_seeds[_order(size, config.seed, number)[place]] for number, place in rounds]


@functools.lru_cache(maxsize=2)
def _order(size: int, run_seed: int, number: int) -> Sequence[int]:
    return random.Random(f"tasks:{run_seed}:{number}").sample(range(size), size)

"""Rollouts and runs at servers that are not ours: what they lose is a failure, never a zero."""

import itertools
from dataclasses import replace
from typing import get_args

from far_seats import QUICK
from ladder_env import DIALOGUE, climb, engine
from ladder_env import SPEC as ROLLOUT
from openenv_double import OpenEnvDouble, Tree

from gigym.agents import collect, rollout_metrics
from gigym.envs import Task
from gigym.envs.connect import ConnectedPool, Target, seat_pool
from gigym.envs.connect.target import KINDS
from gigym.grouping.types import Group, Stop
from gigym.trainer.config import EnvSection

TASKS = [Task(env="dark", seed=seed) for seed in range(3)]
SPEC = replace(ROLLOUT, anchor="observation")


def far(double: OpenEnvDouble) -> ConnectedPool:
    return seat_pool(Target(urls=(double.url,)), {"max_steps": 4}, replace(QUICK, deadline_s=30))


async def collected(double: OpenEnvDouble, siblings: int = 3) -> tuple[Group, ...]:
    async with far(double) as pool:
        spec = replace(SPEC, siblings=siblings)
        return await collect(TASKS, pool, engine(climb), DIALOGUE, spec)


def texts(groups: tuple[Group, ...]) -> list[list[tuple[str, float]]]:
    return [
        [(turn.observation, turn.reward) for turn in episode.turns]
        for group in groups
        for episode in group.trajectories
    ]


async def test_sockets_that_are_cut_change_nothing() -> None:
    with OpenEnvDouble() as double:
        clean = await collected(double)
        steps = itertools.count(1)

        def now_and_then(frame: Tree) -> bool:
            return frame["type"] == "step" and next(steps) % 7 == 0

        double.habits.drop = now_and_then
        torn = await collected(double)
        assert double.opened > 18 + 3
    assert texts(torn) == texts(clean)
    assert [len(group.trajectories) for group in torn] == [3, 3, 3]
    assert all(episode.stop == Stop.TURN_LIMIT for g in torn for episode in g.trajectories)


async def test_an_episode_that_is_lost_is_a_failure_of_its_group() -> None:
    with OpenEnvDouble(honours_seeds=False) as double:
        count = itertools.count(1)
        double.habits.drop = lambda frame: frame["type"] == "step" and next(count) == 3
        groups = await collected(double, siblings=1)
    failures = [episode for group in groups for episode in group.failures]
    assert [len(group.trajectories) for group in groups].count(1) == 2
    (lost,) = failures
    assert lost.stop == Stop.ENV_ERROR and lost.cause is not None
    assert lost.cause.startswith("EpisodeLost: ") and lost.final_anchor is None
    assert rollout_metrics(groups)["rollout/failed"] == 1.0


def test_a_run_may_name_every_kind() -> None:
    assert get_args(EnvSection.model_fields["kind"].annotation) == KINDS

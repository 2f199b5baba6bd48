"""Sibling groups of episodes: tasks in, finished groups out, in the order of the tasks.

Every episode is a coroutine of its own: reset, then prompt, reply and step until it ends. Nothing
waits for the slowest, only live episodes ask the engine, and every wait has a deadline. What the
infrastructure breaks is a failure of the group, never an episode that scored nothing. Seeds depend
on task, sibling, turn and attempt alone, so equal seeds give equal groups whatever the timing.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..envs.pool import Seat, SeatPool
from ..envs.types import Task
from ..grouping.types import Group, Stop, Trajectory
from .engine import Engine
from .episode import play_episode
from .prompt import Dialogue
from .report import rollout_metrics
from .spec import Place, RolloutSpec, Table

__all__ = ["RolloutSpec", "collect", "rollout_metrics"]


async def collect(
    tasks: Sequence[Task], pool: SeatPool, engine: Engine, dialogue: Dialogue, spec: RolloutSpec
) -> tuple[Group, ...]:
    """Play every task with its siblings. Raises what only a programmer can mend."""
    places = _places(tasks, spec.siblings)
    lanes = min(spec.max_live or len(places), len(places))
    seats = await pool.open(lanes)
    table = Table(engine=engine, dialogue=dialogue, spec=spec)
    engine.roster.enter(lanes)
    # A lane's places are fixed beforehand, so that who plays together never depends on timing.
    running = [
        asyncio.create_task(_play_lane(places[lane::lanes], seat, table))
        for lane, seat in enumerate(seats)
    ]
    for lane in running:
        # A callback, because a coroutine cancelled before its first step runs no `finally`.
        lane.add_done_callback(lambda _: engine.roster.leave())
    try:
        played = await asyncio.gather(*running)
    finally:
        for lane in running:
            lane.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    episodes = [played[index % lanes][index // lanes] for index in range(len(places))]
    width = spec.siblings
    return tuple(
        _group(task, episodes[index * width : (index + 1) * width])
        for index, task in enumerate(tasks)
    )


def _places(tasks: Sequence[Task], siblings: int) -> list[Place]:
    """All episodes in order; a task that comes twice continues the seeds of its first group."""
    seen: Counter[str] = Counter()
    places: list[Place] = []
    for group, task in enumerate(tasks):
        first = seen[task.key]
        seen[task.key] += siblings
        places += [
            Place(task=task, key=task.key, group=group, sibling=index, draw=first + index)
            for index in range(siblings)
        ]
    return places


async def _play_lane(places: Sequence[Place], seat: Seat, table: Table) -> list[Trajectory]:
    return [await play_episode(place, seat, table) for place in places]


def _group(task: Task, episodes: Sequence[Trajectory]) -> Group:
    """Sort episodes into those that count and those that failed.

    Siblings must start in the same state (gigpo.md D10): who starts elsewhere is a failure.
    """
    whole = [episode for episode in episodes if not episode.stop.failed]
    starts = Counter(_start(episode) for episode in whole)
    usual = starts.most_common(1)[0][0] if starts else None
    checked = [
        episode if episode.stop.failed or _start(episode) == usual else _astray(episode)
        for episode in episodes
    ]
    return Group(
        task=task.key,
        trajectories=tuple(episode for episode in checked if not episode.stop.failed),
        failures=tuple(episode for episode in checked if episode.stop.failed),
    )


def _start(episode: Trajectory) -> str | None:
    return episode.turns[0].anchor if episode.turns else episode.final_anchor


def _astray(episode: Trajectory) -> Trajectory:
    cause = "the environment did not start in the state of its siblings for the same task"
    return replace(episode, stop=Stop.ENV_ERROR, cause=cause)

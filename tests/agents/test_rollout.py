"""Groups of siblings: in order, balanced, the same whatever the timing."""

import asyncio
import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from ladder_env import (
    ACTIONS,
    DIALOGUE,
    SPEC,
    LatePool,
    by_chance,
    climb,
    engine,
    ladders,
    lines,
    pool,
)

from gigym.agents import SamplingSpec, collect
from gigym.envs.types import digest
from gigym.grouping.types import Stop


async def test_groups_and_siblings_come_in_order() -> None:
    tasks = ladders(3, 1, 2)
    groups = await collect(tasks, pool(), engine(), DIALOGUE, SPEC)
    assert [group.task for group in groups] == [task.key for task in tasks]
    assert [[e.index for e in group.trajectories] for group in groups] == [[0, 1, 2]] * 3
    assert [[e.seed for e in group.trajectories] for group in groups] == [[3] * 3, [1] * 3, [2] * 3]
    assert not any(group.failures for group in groups)


async def test_a_turn_tells_what_was_seen_said_and_paid() -> None:
    (group,) = await collect(ladders(0), pool(), engine(climb), DIALOGUE, SPEC)
    episode = group.trajectories[0]
    assert (episode.stop, episode.success, episode.episode_return) == (Stop.DONE, True, 1.0)
    assert (episode.task_id, episode.task_type) == ("ladder-3", "climb")
    assert [turn.observation_key for turn in episode.turns] == [
        turn.anchor for turn in episode.turns
    ]
    assert [turn.state_key for turn in episode.turns] == ["rung-0", "rung-1", "rung-2"]
    assert [turn.reward for turn in episode.turns] == [0.0, 0.0, 1.0]
    assert [turn.terminated for turn in episode.turns] == [False, False, True]
    last = episode.turns[-1]
    assert (last.action, last.text, last.reason) == ("up", "up", "ok")
    assert (last.valid, last.admissible, last.finish_reason) == (True, True, "stop")
    assert last.observation == "You stand on rung 2 of 3."
    assert last.action_key == digest("up")
    assert episode.final_anchor == digest("You stand on rung 3 of 3.")


async def test_a_row_holds_the_whole_episode_and_every_reply_in_place() -> None:
    (group,) = await collect(ladders(0), pool(), engine(), DIALOGUE, SPEC)
    for episode in group.trajectories:
        (row,) = episode.rows
        assert row.dtype == np.int32
        assert episode.turns[-1].stop == len(row)
        for turn, after in itertools.pairwise((*episode.turns, None)):
            assert turn is not None
            assert tuple(row[turn.start : turn.stop]) == DIALOGUE.reply_ids(turn.action)
            assert len(turn.logprobs) == turn.stop - turn.start
            assert turn.weight_versions == (("0", 0, turn.stop - turn.start),)
            if after is not None:
                assert after.start > turn.stop


async def test_only_live_episodes_ask_the_engine() -> None:
    scripted = engine()
    groups = await collect(ladders(0, 1), pool(), scripted, DIALOGUE, SPEC)
    recorded = sum(len(e.turns) for group in groups for e in group.trajectories)
    assert len(scripted.requests) == recorded


async def test_request_ids_name_the_episode_before_the_slash_and_sort_by_task_sibling_turn() -> (
    None
):
    scripted = engine(climb)
    await collect(ladders(0, 1), pool(), scripted, DIALOGUE, replace(SPEC, iteration=7))
    asked = sorted(scripted.requests)
    assert len(set(asked)) == len(asked) == 2 * 3 * 3
    places = [tuple(map(int, id.replace("/", "-").split("-"))) for id in asked]
    assert places == sorted(places)
    assert places[0] == (7, 0, 0, 0)
    assert places[-1] == (7, 1, 2, 2)


async def test_equal_seeds_give_equal_groups_whatever_the_timing() -> None:
    tasks = ladders(0, 1, 2)
    calm = await collect(tasks, pool(), engine(), DIALOGUE, SPEC)
    for seed in (1, 2):
        rng = random.Random(seed)
        slow = engine(latency=lambda _, rng=rng: rng.random() * 0.01)
        late = await collect(tasks, LatePool(pool(), seed), slow, DIALOGUE, SPEC)
        assert lines(late) == lines(calm)


async def test_another_seed_or_iteration_gives_other_episodes() -> None:
    base = await collect(ladders(0), pool(), engine(), DIALOGUE, SPEC)
    for other in (replace(SPEC, run_seed=6), replace(SPEC, iteration=1)):
        assert lines(await collect(ladders(0), pool(), engine(), DIALOGUE, other)) != lines(base)


async def test_the_order_of_tasks_and_the_number_of_seats_change_nothing() -> None:
    base = await collect(ladders(0, 1), pool(), engine(), DIALOGUE, SPEC)
    turned = await collect(ladders(1, 0), pool(), engine(), DIALOGUE, SPEC)
    assert [lines((group,)) for group in turned] == [lines((group,)) for group in reversed(base)]
    narrow = replace(SPEC, max_live=2)
    assert lines(await collect(ladders(0, 1), pool(), engine(), DIALOGUE, narrow)) == lines(base)


async def test_a_task_that_comes_twice_is_played_with_fresh_seeds() -> None:
    wide = await collect(ladders(4), pool(), engine(), DIALOGUE, replace(SPEC, siblings=6))
    first, second = await collect(ladders(4, 4), pool(), engine(), DIALOGUE, SPEC)
    actions = [[t.action for t in e.turns] for e in wide[0].trajectories]
    twice = (*first.trajectories, *second.trajectories)
    assert [[t.action for t in e.turns] for e in twice] == actions
    assert [e.index for e in second.trajectories] == [0, 1, 2]


async def test_no_tasks_make_no_groups() -> None:
    assert await collect([], pool(), engine(), DIALOGUE, SPEC) == ()


async def test_never_more_episodes_are_live_than_allowed() -> None:
    scripted, seen = engine(), list[int]()
    scripted.roster.listen(lambda: seen.append(scripted.roster.live))
    await collect(ladders(0, 1, 2), pool(), scripted, DIALOGUE, replace(SPEC, max_live=4))
    assert max(seen) == 4
    assert seen[-1] == scripted.roster.live == 0


async def test_the_roster_is_balanced_when_the_rollout_is_cancelled() -> None:
    scripted = engine(latency=lambda _: 60.0)
    running = asyncio.create_task(collect(ladders(0, 1), pool(), scripted, DIALOGUE, SPEC))
    await asyncio.sleep(0.02)
    assert scripted.roster.live == 6
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0)
    assert scripted.roster.live == 0


async def test_the_roster_is_balanced_when_a_programmer_erred() -> None:
    def broken(prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...]:
        raise AssertionError("a bug")

    scripted = engine(broken)
    with pytest.raises(AssertionError, match="a bug"):
        await collect(ladders(0, 1), pool(), scripted, DIALOGUE, SPEC)
    await asyncio.sleep(0)
    assert scripted.roster.live == 0
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


def test_actions_of_the_ladder_are_all_drawn() -> None:
    drawn = {by_chance((), SamplingSpec(max_tokens=9, seed=s)) for s in range(50)}
    assert drawn == {DIALOGUE.reply_ids(action) for action in ACTIONS}

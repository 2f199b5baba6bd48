"""Deterministic engines give the same bits whatever the timing."""

import asyncio
import random

import pytest
from tiny_lm import answer, ask, engine_over, play, tiny_model

from gigym.agents import Completion, GenFailure, SamplingSpec
from gigym.agents.hf import HFEngine
from gigym.agents.source import ModelWeights

SPEC = SamplingSpec(max_tokens=6, seed=1)


async def live(engine: HFEngine, episode: int, delays: random.Random | None) -> list[Completion]:
    """An episode on the roster; its length depends on its number."""
    try:
        story = await play(engine, episode, turns=2 + episode % 4, delays=delays)
        return [completion for _, completion in story]
    finally:
        engine.roster.leave()


async def rollout(seed: int | None, slots: int, push: bool = False) -> list[list[Completion]]:
    """Ten episodes at once, with delays and an order of their own."""
    model = tiny_model()
    async with engine_over(model, deterministic=True, slots=slots) as engine:
        delays = None if seed is None else random.Random(seed)
        numbers = list(range(10))
        if delays is not None:
            delays.shuffle(numbers)
        if push:
            engine.roster.enter(2)
            await asyncio.gather(*(live(engine, number, delays) for number in (3, 4)))
            await engine.push_weights(ModelWeights(model), "1")
        engine.roster.enter(len(numbers))
        stories = await asyncio.gather(*(live(engine, number, delays) for number in numbers))
        assert engine.roster.live == 0
    return [story for _, story in sorted(zip(numbers, stories, strict=True))]


@pytest.mark.parametrize("slots", [16, 10, 4])
async def test_arrival_times_change_no_bit(slots: int) -> None:
    reference = await rollout(None, slots)
    for seed in (1, 2):
        assert await rollout(seed, slots) == reference


async def test_what_was_served_before_a_push_changes_no_bit() -> None:
    fresh, used = await rollout(None, 10), await rollout(5, 10, push=True)
    assert [[c.logprobs for c in story] for story in used] == [
        [c.logprobs for c in story] for story in fresh
    ]


async def test_a_round_waits_for_every_live_episode() -> None:
    async with engine_over(tiny_model(), deterministic=True) as engine:
        engine.roster.enter(2)
        first = asyncio.create_task(ask(engine, (1, 2), SPEC, "a/0"))
        await asyncio.sleep(0.05)
        assert not first.done()
        await ask(engine, (3, 4), SPEC, "b/0")
        assert len((await first).token_ids) == 6


async def test_an_episode_that_ends_lets_the_others_go_on() -> None:
    async with engine_over(tiny_model(), deterministic=True) as engine:
        engine.roster.enter(2)
        first = asyncio.create_task(ask(engine, (1, 2), SPEC, "a/0"))
        await asyncio.sleep(0.01)
        engine.roster.leave()
        assert len((await asyncio.wait_for(first, 30)).token_ids) == 6


async def test_without_a_roster_nobody_is_waited_for() -> None:
    async with engine_over(tiny_model(), deterministic=True) as engine:
        assert len((await ask(engine, (1, 2), SPEC)).token_ids) == 6


async def test_a_barrier_nobody_completes_ends_at_the_deadline() -> None:
    async with engine_over(tiny_model(), deterministic=True) as engine:
        engine.roster.enter(2)
        late = await answer(engine, (1, 2), SPEC, deadline_s=0.05)
        assert isinstance(late, GenFailure)
        assert (late.code, late.retryable, late.partial) == ("timeout", True, None)
        assert "1 of 2 episodes had asked" in late.message
        engine.roster.leave()
        assert len((await ask(engine, (1, 2), SPEC, "e/1")).token_ids) == 6


async def test_a_cancelled_request_does_not_hold_the_round() -> None:
    async with engine_over(tiny_model(), deterministic=True) as engine:
        engine.roster.enter(3)
        lost = asyncio.create_task(ask(engine, (9,), SPEC, "c/0"))
        first = asyncio.create_task(ask(engine, (1, 2), SPEC, "a/0"))
        await asyncio.sleep(0.01)
        lost.cancel()
        engine.roster.leave()
        second = await ask(engine, (3, 4), SPEC, "b/0")
        assert len(second.token_ids) == len((await first).token_ids) == 6


async def test_rounds_reuse_what_the_crowd_left_in_the_slots() -> None:
    async with engine_over(tiny_model(), deterministic=True, slots=4) as engine:
        prompts = {f"{n}": tuple(range(n, n + 10)) for n in range(8)}
        cached = []
        for turn in range(2):
            done = await asyncio.gather(
                *(ask(engine, p, SPEC, f"{name}/{turn}") for name, p in prompts.items())
            )
            cached.append(sum(completion.cached_tokens == 9 for completion in done))
    assert cached == [0, 4]

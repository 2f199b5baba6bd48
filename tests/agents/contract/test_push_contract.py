"""What every engine promises of its weights: pushes, pauses, sleep, and what each token knows."""

import asyncio
import copy
import os
import random
from pathlib import Path

import pytest
import torch
from engine_seats import Seat
from tiny_lm import perturb, plain_logprobs, random_ids

from gigym.agents import (
    Completion,
    GenFailure,
    ModelWeights,
    OutOfOrder,
    PushError,
    SamplingSpec,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
REPEATED = random_ids(random.Random(1), 300)
FRESH = random_ids(random.Random(2), 300)
SPEC = SamplingSpec(max_tokens=8, seed=2)
LONG = SamplingSpec(max_tokens=400, seed=2)


def error(engine: Seat, prompt: tuple[int, ...], done: Completion) -> float:
    plain = plain_logprobs(engine.learner, prompt, done.token_ids)
    return max(abs(a - b) for a, b in zip(done.logprobs, plain, strict=True))


async def test_a_push_is_exact_on_fresh_and_on_repeated_prompts(engine: Seat) -> None:
    before = await engine.ask(REPEATED, SPEC, "a/0")
    perturb(engine.learner)
    assert error(engine, REPEATED, before) > 0.01
    await engine.push("1")
    for prompt in (FRESH, REPEATED, REPEATED):
        after = await engine.ask(prompt, SPEC, "a/1")
        assert error(engine, prompt, after) <= 1e-5
        assert after.weight_versions == (("1", 0, 8),)


async def test_weights_without_their_output_head_are_refused(engine: Seat) -> None:
    class Headless:
        def __iter__(self):  # noqa: ANN204
            tensors = ModelWeights(engine.learner)
            return ((name, t) for name, t in tensors if name != "lm_head.weight")

    with pytest.raises(PushError, match=r"no lm_head\.weight"):
        await engine.engine.push_weights(Headless(), "headless")
    assert (await engine.ask(FRESH, SPEC)).weight_versions == (("start", 0, 8),)


async def test_twenty_pushes_neither_drift_nor_grow(engine: Seat) -> None:
    sizes: list[int] = []
    for number in range(20):
        perturb(engine.learner, 0.002)
        await engine.push(str(number))
        done = await engine.ask(REPEATED, SPEC, f"p{number}/0")
        assert error(engine, REPEATED, done) <= 1e-5
        sizes.append(
            int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        )
    assert max(sizes[5:]) < 1.05 * sizes[5]


async def test_a_push_between_pause_and_resume_is_told_token_by_token(engine: Seat) -> None:
    if not engine.engine.capabilities.in_flight_push:
        pytest.skip("the engine does not tell which weights sampled which token")
    old = copy.deepcopy(engine.learner)
    prompts = [random_ids(random.Random(number), 20) for number in range(8)]
    running = [
        asyncio.create_task(engine.ask(prompt, LONG, f"f{number}/0"))
        for number, prompt in enumerate(prompts)
    ]
    await asyncio.sleep(0.2)
    await engine.engine.pause("keep")
    perturb(engine.learner)
    await engine.push("in flight")
    await engine.engine.resume()
    done = await asyncio.gather(*running)
    assert any(len(d.weight_versions) == 2 for d in done)
    for prompt, completion in zip(prompts, done, strict=True):
        assert completion.finish_reason == "length"
        starts = [start for _, start, _ in completion.weight_versions]
        ends = [end for _, _, end in completion.weight_versions]
        assert [0, *ends] == [*starts, 400]
        for version, start, end in completion.weight_versions:
            model = old if version == "start" else engine.learner
            plain = plain_logprobs(model, prompt, completion.token_ids)[start:end]
            assert completion.logprobs[start:end] == pytest.approx(plain, abs=1e-5)


async def test_nothing_is_sampled_while_paused(engine: Seat) -> None:
    await engine.engine.pause("keep")
    held = asyncio.create_task(engine.ask(FRESH, SPEC))
    await asyncio.sleep(0.2)
    assert not held.done()
    assert (await engine.engine.health()).paused
    await engine.engine.resume()
    assert len((await held).token_ids) == 8


async def test_a_pause_that_waits_lets_those_under_way_end(engine: Seat) -> None:
    running = asyncio.create_task(engine.ask(FRESH, SamplingSpec(max_tokens=100, seed=1)))
    await asyncio.sleep(0.1)
    await engine.engine.pause("wait")
    done = await asyncio.wait_for(running, 5)
    assert (done.finish_reason, len(done.token_ids)) == ("length", 100)
    await engine.engine.resume()


async def test_a_pause_that_aborts_answers_with_what_there_is(engine: Seat) -> None:
    running = asyncio.create_task(engine.ask(FRESH[:20], LONG))
    await asyncio.sleep(0.1)
    await engine.engine.pause("abort")
    done = await asyncio.wait_for(running, 5)
    assert done.finish_reason == "abort"
    assert len(done.logprobs) == len(done.token_ids) < 400
    await engine.engine.resume()
    assert len((await engine.ask(FRESH, SPEC)).token_ids) == 8


async def test_whoever_is_cancelled_or_late_makes_room(engine: Seat) -> None:
    engines = engine.engine
    crowd = [
        asyncio.create_task(engines.generate(FRESH[:20], LONG, request_id=f"c{n}/0", deadline_s=60))
        for n in range(engines.capabilities.max_concurrency)
    ]
    await asyncio.sleep(0.1)
    for request in crowd:
        request.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    late = await engines.generate(FRESH[:20], LONG, request_id="l/0", deadline_s=0.02)
    assert isinstance(late, GenFailure)
    assert (late.code, late.retryable) == ("timeout", True)
    assert len((await asyncio.wait_for(engine.ask(FRESH, SPEC), 10)).token_ids) == 8


async def test_sleep_and_wake_keep_their_order(engine: Seat) -> None:
    engines = engine.engine
    with pytest.raises(OutOfOrder):
        await engines.wake()
    with pytest.raises(OutOfOrder):
        await engines.sleep(7)
    if not engines.capabilities.sleep_levels:
        pytest.skip("the engine cannot sleep here")
    await engines.sleep(1)
    assert (await engines.health()).asleep
    with pytest.raises(OutOfOrder, match="wake"):
        await engine.ask(FRESH, SPEC)
    await engines.wake()
    perturb(engine.learner)
    await engine.push("awake")
    assert error(engine, FRESH, await engine.ask(FRESH, SPEC)) <= 1e-5


async def test_an_engine_says_how_it_does(engine: Seat) -> None:
    health = await engine.engine.health()
    assert (health.ok, health.paused, health.asleep) == (True, False, False)
    assert health.weight_version == "start"
    assert torch.is_tensor(engine.start["lm_head.weight"])

"""What goes wrong in the engine is a value within its deadline, or a named error."""

import asyncio
import math
import time

import pytest
import torch
from tiny_lm import VOCABULARY, answer, ask, engine_over, perturb, plain_logprobs, tiny_model

from gigym.agents import EngineClosed, GenFailure, PushError, SamplingSpec
from gigym.agents.hf import HFEngine
from gigym.agents.source import ModelWeights

SPEC = SamplingSpec(max_tokens=4, seed=1)
LONG = SamplingSpec(max_tokens=100, seed=1)


def slow_down(engine: HFEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every forward pass takes ten milliseconds more."""
    step = engine._decoding.step

    def late() -> object:
        time.sleep(0.01)
        return step()

    monkeypatch.setattr(engine._decoding, "step", late)


async def test_prompts_without_room_for_the_reply_overflow() -> None:
    async with engine_over(tiny_model()) as engine:
        assert len((await ask(engine, (1,) * 124, SPEC)).token_ids) == 4
        failure = await answer(engine, (1,) * 125, SPEC)
    assert isinstance(failure, GenFailure)
    assert (failure.code, failure.retryable) == ("overflow", False)
    assert "129 of 128" in failure.message


async def test_a_deadline_in_mid_reply_returns_what_was_sampled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        slow_down(engine, monkeypatch)
        failure = await answer(engine, (1, 2), LONG, deadline_s=0.2)
        assert isinstance(failure, GenFailure) and failure.partial is not None
        assert (failure.code, failure.retryable) == ("timeout", True)
        partial = failure.partial
        assert partial.finish_reason == "abort"
        assert 0 < len(partial.token_ids) == len(partial.logprobs) < 100
        plain = plain_logprobs(model, (1, 2), partial.token_ids)
        assert partial.logprobs == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize("deterministic", [False, True])
async def test_cancelling_frees_the_slot(
    deterministic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_over(tiny_model(), slots=1, deterministic=deterministic) as engine:
        slow_down(engine, monkeypatch)
        endless = asyncio.create_task(ask(engine, (1, 2), LONG, "a/0"))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(ask(engine, (3, 4), SPEC, "b/0"))
        await asyncio.sleep(0.05)
        endless.cancel()
        assert len((await asyncio.wait_for(waiting, 30)).token_ids) == 4


async def test_a_forward_pass_that_fails_is_a_failure_of_its_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with engine_over(tiny_model()) as engine:
        with monkeypatch.context() as patch:
            patch.setattr(engine._model, "logits", lambda chunks: 1 / 0)
            failures = await asyncio.gather(*(answer(engine, (n,), SPEC) for n in range(3)))
        for failure in failures:
            assert isinstance(failure, GenFailure)
            assert (failure.code, failure.retryable) == ("engine_dead", True)
            assert "ZeroDivisionError" in failure.message
        assert len((await ask(engine, (1,), SPEC)).token_ids) == 4


async def test_weights_that_change_under_a_request_fail_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        slow_down(engine, monkeypatch)
        running = asyncio.create_task(answer(engine, (1, 2), LONG))
        await asyncio.sleep(0.05)
        perturb(model)
        failure = await running
        assert isinstance(failure, GenFailure) and failure.code == "engine_dead"
        await engine.push_weights(ModelWeights(model), "1")
        assert len((await ask(engine, (1,), SPEC)).token_ids) == 4


async def test_weights_cannot_be_pushed_under_live_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        slow_down(engine, monkeypatch)
        running = asyncio.create_task(ask(engine, (1, 2), LONG))
        await asyncio.sleep(0.05)
        with pytest.raises(PushError, match="1 requests are under way"):
            await engine.push_weights(ModelWeights(model), "1")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert (await engine.push_weights(ModelWeights(model), "1")).version == "1"


async def test_logits_that_are_no_numbers_fail_and_leave_nothing_behind() -> None:
    model = tiny_model()
    async with engine_over(model, slots=1) as engine:
        good = {name: value.clone() for name, value in model.state_dict().items()}
        with torch.no_grad():
            next(model.parameters())[7] = math.nan  # an embedding
        await engine.push_weights(ModelWeights(model), "broken")
        failure = await answer(engine, (7,) * 30, SPEC)
        assert isinstance(failure, GenFailure) and failure.code == "bad_output"
        model.load_state_dict(good)
        await engine.push_weights(ModelWeights(model), "mended")
        completion = await ask(engine, (1, 2, 3), SPEC)
        plain = plain_logprobs(model, (1, 2, 3), completion.token_ids)
        assert completion.logprobs == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize("prompt", [(), (-1,), (VOCABULARY,)])
async def test_ids_the_model_has_no_embedding_for_are_a_mistake(prompt: tuple[int, ...]) -> None:
    async with engine_over(tiny_model()) as engine:
        with pytest.raises(ValueError, match="prompt_ids"):
            await answer(engine, prompt, SPEC)


async def test_closing_answers_the_living_and_refuses_the_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = tiny_model()
    async with engine_over(model, slots=1) as engine:
        slow_down(engine, monkeypatch)
        names = ("a/0", "b/0")
        running = [asyncio.create_task(answer(engine, (1,), LONG, name)) for name in names]
        await asyncio.sleep(0.05)
        await engine.close()
        await engine.close()
        for failure in await asyncio.gather(*running):
            assert isinstance(failure, GenFailure) and failure.code == "cancelled"
        with pytest.raises(EngineClosed):
            await ask(engine, (1,), SPEC)
        with pytest.raises(EngineClosed):
            await engine.push_weights(ModelWeights(model), "1")


def test_one_engine_serves_several_event_loops() -> None:
    engine = HFEngine(tiny_model(), slots=2, max_model_len=128)
    first = asyncio.run(ask(engine, (1, 2), SPEC))
    assert asyncio.run(ask(engine, (1, 2), SPEC, "other/0")) == first
    asyncio.run(engine.close())


def test_a_loop_that_ends_early_leaves_the_engine_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = HFEngine(tiny_model(), slots=2, max_model_len=128)
    slow_down(engine, monkeypatch)

    async def leave_early() -> None:
        asyncio.create_task(ask(engine, (1, 2), LONG))  # noqa: RUF006 - cancelled with its loop
        await asyncio.sleep(0.05)

    asyncio.run(leave_early())
    assert len(asyncio.run(ask(engine, (1, 2), SPEC)).token_ids) == 4
    asyncio.run(engine.close())

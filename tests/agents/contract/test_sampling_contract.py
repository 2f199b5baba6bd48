"""What every engine promises of its samples: ids, logprobs, ends, seeds, the distribution."""

import asyncio
import random

import pytest
import torch
from engine_seats import LONGEST, Seat
from tiny_lm import VOCABULARY, plain_logprobs, random_ids

from gigym.agents import Completion, GenFailure, SamplingSpec

pytestmark = pytest.mark.asyncio(loop_scope="session")
PROMPT = (5, 17, 42, 8, 23)


def ragged(count: int) -> list[tuple[int, ...]]:
    rng = random.Random(7)
    return [random_ids(rng, rng.randint(1, 40)) for _ in range(count)]


def close_to_learner(
    engine: Seat, prompt: tuple[int, ...], done: Completion, temperature: float = 1.0
) -> None:
    plain = plain_logprobs(engine.learner, prompt, done.token_ids, temperature)
    assert done.logprobs == pytest.approx(plain, abs=1e-5)


async def test_ids_go_in_and_ids_come_out(engine: Seat) -> None:
    done = await engine.ask(PROMPT, SamplingSpec(max_tokens=9, seed=1))
    assert done.finish_reason == "length"
    assert len(done.token_ids) == len(done.logprobs) == 9
    assert all(0 <= token < VOCABULARY for token in done.token_ids)
    assert done.prompt_tokens == len(PROMPT)
    assert done.weight_versions == (("start", 0, 9),)


async def test_a_stop_token_is_kept_with_its_logprob(engine: Seat) -> None:
    free = await engine.ask(PROMPT, SamplingSpec(max_tokens=12, seed=5))
    stop = free.token_ids[4]
    cut = free.token_ids.index(stop) + 1
    done = await engine.ask(PROMPT, SamplingSpec(max_tokens=12, seed=5, stop_token_ids=(stop,)))
    assert done.finish_reason == "stop"
    assert done.token_ids == free.token_ids[:cut]
    assert len(done.logprobs) == cut
    close_to_learner(engine, PROMPT, done)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
async def test_logprobs_are_those_of_the_learner(engine: Seat, temperature: float) -> None:
    assert engine.engine.capabilities.logprobs == "processed"
    spec = SamplingSpec(max_tokens=30, seed=3, temperature=temperature)
    done = await engine.ask(PROMPT, spec)
    close_to_learner(engine, PROMPT, done, temperature)


async def test_a_ragged_batch_samples_what_its_rows_sample_alone(engine: Seat) -> None:
    prompts = ragged(32)
    specs = [SamplingSpec(max_tokens=12, seed=seed) for seed in range(32)]
    pairs = list(zip(prompts, specs, strict=True))
    together = await asyncio.gather(*(engine.ask(p, s, f"{n}/0") for n, (p, s) in enumerate(pairs)))
    alone = [await engine.ask(p, s, f"{n}a/0") for n, (p, s) in enumerate(pairs)]
    for prompt, batched, single in zip(prompts, together, alone, strict=True):
        if engine.engine.capabilities.seeds == "bitwise":
            assert batched.token_ids == single.token_ids
        close_to_learner(engine, prompt, batched)
        close_to_learner(engine, prompt, single)


async def test_equal_seeds_agree_and_different_ones_do_not(engine: Seat) -> None:
    async def tokens(seed: int) -> tuple[int, ...]:
        return (await engine.ask(PROMPT, SamplingSpec(max_tokens=16, seed=seed))).token_ids

    large = 2**64 - 5
    assert await tokens(3) == await tokens(3)
    assert await tokens(large) == await tokens(large)
    # Some generators read no more than 32 bits of a seed.
    assert len({await tokens(seed) for seed in (3, 4, large)}) == 3


async def test_the_order_of_submission_is_irrelevant(engine: Seat) -> None:
    work = [(p, SamplingSpec(max_tokens=8, seed=n)) for n, p in enumerate(ragged(8))]
    forth = await asyncio.gather(*(engine.ask(p, s, f"{n}/0") for n, (p, s) in enumerate(work)))
    back = await asyncio.gather(
        *(engine.ask(p, s, f"{n}b/0") for n, (p, s) in reversed(list(enumerate(work))))
    )
    assert [d.token_ids for d in forth] == [d.token_ids for d in reversed(back)]


async def test_greedy_is_the_most_likely_continuation(engine: Seat) -> None:
    done = await engine.ask(PROMPT, SamplingSpec(max_tokens=8, greedy=True))
    context = torch.tensor([[*PROMPT, *done.token_ids]])
    with torch.no_grad():
        best = engine.learner.eval()(context).logits[0, len(PROMPT) - 1 : -1].argmax(-1)
    assert list(done.token_ids) == best.tolist()


async def test_thousands_of_draws_follow_the_softmax(engine: Seat) -> None:
    prompt, temperature = (1, 2, 3), 2.0
    count = 4000 if engine.engine.capabilities.shares_learner_weights else 400
    draws: list[int] = []
    for first in range(0, count, 500):
        done = await asyncio.gather(
            *(
                engine.ask(
                    prompt,
                    SamplingSpec(max_tokens=1, seed=seed, temperature=temperature),
                    f"d{seed}/0",
                )
                for seed in range(first, first + 500)
            )
        )
        draws += [d.token_ids[0] for d in done]
    with torch.no_grad():
        logits = engine.learner.eval()(torch.tensor([prompt])).logits[0, -1]
    expected = count * (logits / temperature).softmax(-1)
    drawn = torch.tensor(draws).bincount(minlength=VOCABULARY).float()
    # Rare tokens share a cell, as the statistic asks for about five in each.
    rare = expected < 5
    cells = [*zip(drawn[~rare], expected[~rare], strict=True)]
    if rare.any():
        cells.append((drawn[rare].sum(), expected[rare].sum()))
    statistic = sum(float((d - e) ** 2 / e) for d, e in cells)
    degrees = len(cells) - 1
    # Wilson and Hilferty's approximation of the quantile at 1e-4.
    limit = degrees * (1 - 2 / (9 * degrees) + 3.719 * (2 / (9 * degrees)) ** 0.5) ** 3
    assert statistic < limit


async def test_cuts_keep_to_their_support_and_renormalise(engine: Seat) -> None:
    spec = SamplingSpec(max_tokens=1, top_k=3)
    done = await asyncio.gather(
        *(
            engine.ask(
                PROMPT, SamplingSpec(max_tokens=1, top_k=spec.top_k, seed=seed), f"k{seed}/0"
            )
            for seed in range(40)
        )
    )
    with torch.no_grad():
        logits = engine.learner.eval()(torch.tensor([PROMPT])).logits[0, -1]
    top = logits.topk(3)
    logprobs = dict(zip(top.indices.tolist(), top.values.log_softmax(-1).tolist(), strict=True))
    assert {d.token_ids[0] for d in done} <= logprobs.keys()
    for d in done:
        assert d.logprobs[0] == pytest.approx(logprobs[d.token_ids[0]], abs=1e-5)


async def test_a_prompt_without_room_overflows(engine: Seat) -> None:
    answer = await engine.engine.generate(
        (1,) * (LONGEST - 3), SamplingSpec(max_tokens=4), request_id="long/0", deadline_s=60
    )
    assert isinstance(answer, GenFailure)
    assert (answer.code, answer.retryable) == ("overflow", False)
    spec = SamplingSpec(max_tokens=4, seed=1)
    assert len((await engine.ask((1,) * (LONGEST - 4), spec)).token_ids) == 4

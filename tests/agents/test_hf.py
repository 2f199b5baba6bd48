"""The engine samples what the model says, whoever shares the batch."""

import asyncio
import itertools
import random
from typing import Any

import pytest
import torch
from tiny_lm import (
    FAMILIES,
    VOCABULARY,
    ask,
    engine_over,
    perturb,
    plain_logprobs,
    play,
    random_ids,
    tiny_model,
)
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GraniteConfig,
    GraniteForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from gigym.agents import Completion, SamplingSpec, StaleWeights, UnsupportedModel
from gigym.agents.hf import HFEngine
from gigym.agents.source import ModelWeights

PROMPT = (5, 17, 42, 8, 23)


def specs(count: int) -> list[SamplingSpec]:
    return [SamplingSpec(max_tokens=12, seed=seed) for seed in range(count)]


def ragged(count: int) -> list[tuple[int, ...]]:
    rng = random.Random(7)
    return [random_ids(rng, rng.randint(1, 40)) for _ in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("deterministic", [False, True])
async def test_logprobs_are_those_of_a_plain_forward(family: str, deterministic: bool) -> None:
    model = tiny_model(family)
    async with engine_over(model, deterministic=deterministic) as engine:
        stories = await asyncio.gather(*(play(engine, number, turns=4) for number in range(6)))
    for prompt, completion in itertools.chain(*stories):
        plain = plain_logprobs(model, prompt, completion.token_ids)
        assert completion.logprobs == pytest.approx(plain, abs=1e-5)


async def test_later_turns_compute_only_what_is_new() -> None:
    async with engine_over(tiny_model()) as engine:
        story = await play(engine, 0, turns=4)
    for (before, first), (_, second) in itertools.pairwise(story):
        # All of the last turn but its final sampled token, which was never fed.
        assert second.cached_tokens == len(before) + len(first.token_ids) - 1


async def test_a_ragged_batch_samples_what_its_rows_sample_alone() -> None:
    prompts, rules = ragged(32), specs(32)
    async with engine_over(tiny_model(), slots=32) as engine:
        together = await asyncio.gather(
            *(
                ask(engine, p, s, f"{n}/0")
                for n, (p, s) in enumerate(zip(prompts, rules, strict=True))
            )
        )
        alone = [await ask(engine, p, s, "x") for p, s in zip(prompts, rules, strict=True)]
    for batched, single in zip(together, alone, strict=True):
        assert batched.token_ids == single.token_ids
        assert batched.logprobs == pytest.approx(single.logprobs, abs=1e-5)


async def test_a_temperature_shows_in_the_logprobs() -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        completion = await ask(engine, PROMPT, SamplingSpec(max_tokens=9, seed=1, temperature=0.7))
    plain = plain_logprobs(model, PROMPT, completion.token_ids, temperature=0.7)
    assert completion.logprobs == pytest.approx(plain, abs=1e-5)


async def test_equal_seeds_agree_and_different_ones_do_not() -> None:
    async with engine_over(tiny_model()) as engine:
        spec, other, fresh = (SamplingSpec(max_tokens=12, seed=seed) for seed in (3, 4, None))
        assert await ask(engine, PROMPT, spec, "a/0") == await ask(engine, PROMPT, spec, "b/0")
        assert await tokens(engine, spec) != await tokens(engine, other)
        assert await tokens(engine, fresh) != await tokens(engine, fresh)


async def tokens(engine: HFEngine, spec: SamplingSpec) -> tuple[int, ...]:
    return (await ask(engine, PROMPT, spec)).token_ids


@pytest.mark.parametrize("deterministic", [False, True])
async def test_the_order_of_submission_is_irrelevant(deterministic: bool) -> None:
    work = [(f"{n}/0", p, s) for n, (p, s) in enumerate(zip(ragged(12), specs(12), strict=True))]
    answers = []
    for order in (work, work[::-1]):
        async with engine_over(tiny_model(), slots=12, deterministic=deterministic) as engine:
            done = await asyncio.gather(*(ask(engine, p, s, name) for name, p, s in order))
        answers.append(dict(zip([name for name, _, _ in order], done, strict=True)))
    first, second = answers
    assert {n: c.token_ids for n, c in first.items()} == {n: c.token_ids for n, c in second.items()}
    assert not deterministic or first == second


async def test_greedy_is_the_most_likely_continuation() -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        completion = await ask(engine, PROMPT, SamplingSpec(max_tokens=8, greedy=True))
    context: list[int] = [*PROMPT]
    for token in completion.token_ids:
        with torch.no_grad():
            assert token == int(model.eval()(torch.tensor([context])).logits[0, -1].argmax())
        context.append(token)


async def test_a_stop_token_ends_the_reply_and_is_part_of_it() -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        free = await ask(engine, PROMPT, SamplingSpec(max_tokens=12, seed=5))
        stop = free.token_ids[4]
        cut = free.token_ids.index(stop) + 1
        spec = SamplingSpec(max_tokens=12, seed=5, stop_token_ids=(stop, VOCABULARY + 3))
        stopped = await ask(engine, PROMPT, spec)
    assert (stopped.finish_reason, free.finish_reason) == ("stop", "length")
    assert stopped.token_ids == free.token_ids[:cut]
    assert stopped.logprobs == pytest.approx(free.logprobs[:cut], abs=1e-6)
    assert stopped.weight_versions == (("0", 0, cut),)
    assert len(free.token_ids) == len(free.logprobs) == 12


async def test_more_episodes_than_slots_only_cost_time() -> None:
    model = tiny_model()
    async with engine_over(model, slots=3) as few, engine_over(model, slots=12) as many:
        crowded = await asyncio.gather(*(play(few, number, turns=3) for number in range(12)))
        roomy = await asyncio.gather(*(play(many, number, turns=3) for number in range(12)))
    for (_, left), (_, right) in zip(
        itertools.chain(*crowded), itertools.chain(*roomy), strict=True
    ):
        assert left.token_ids == right.token_ids
        assert left.logprobs == pytest.approx(right.logprobs, abs=1e-5)


async def test_prompts_beyond_the_prefill_limit_are_fed_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gigym.agents.decoding.PREFILL_CELLS", 7)
    model, prompts = tiny_model(), ragged(6)
    async with engine_over(model) as engine:
        done = await asyncio.gather(
            *(
                ask(engine, p, s, f"{n}/0")
                for n, (p, s) in enumerate(zip(prompts, specs(6), strict=True))
            )
        )
    for prompt, completion in zip(prompts, done, strict=True):
        plain = plain_logprobs(model, prompt, completion.token_ids)
        assert completion.logprobs == pytest.approx(plain, abs=1e-5)


async def test_a_push_is_exact_on_fresh_and_on_repeated_prompts() -> None:
    model, spec = tiny_model(), SamplingSpec(max_tokens=10, seed=2)
    async with engine_over(model) as engine:
        before = await ask(engine, PROMPT, spec, "a/0")
        perturb(model)
        moved = plain_logprobs(model, PROMPT, before.token_ids)
        assert max(abs(a - b) for a, b in zip(before.logprobs, moved, strict=True)) > 0.01
        report = await engine.push_weights(ModelWeights(model), "7")
        for name in ("a/0", "a/1", "fresh/0"):
            after = await ask(engine, PROMPT, spec, name)
            plain = plain_logprobs(model, PROMPT, after.token_ids)
            assert after.logprobs == pytest.approx(plain, abs=1e-5)
            assert after.weight_versions == (("7", 0, 10),)
    assert (report.version, report.verified, report.max_abs_diff) == ("7", True, 0)


async def test_weights_that_nobody_pushed_are_not_sampled_from() -> None:
    model = tiny_model()
    async with engine_over(model) as engine:
        await ask(engine, PROMPT, SamplingSpec(max_tokens=2))
        perturb(model)
        with pytest.raises(StaleWeights, match="push_weights"):
            await ask(engine, PROMPT, SamplingSpec(max_tokens=2))


async def test_the_learner_stays_in_training_mode_all_along() -> None:
    model = tiny_model().train()
    async with engine_over(model) as engine:
        running = asyncio.create_task(ask(engine, PROMPT, SamplingSpec(max_tokens=40)))
        while not running.done():
            assert all(module.training for module in model.modules())
            await asyncio.sleep(0.001)


async def test_capabilities_say_what_the_trainer_asks() -> None:
    async with engine_over(tiny_model(), slots=5) as engine:
        said = engine.capabilities
    assert (said.name, said.max_model_len, said.max_concurrency) == ("hf", 128, 5)
    assert said.shares_learner_weights and said.prefix_cache and said.logprobs == "processed"
    assert said.seeds == "bitwise"


SHAPE: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "intermediate_size": 32,
}


def test_models_that_cannot_be_run_exactly_are_refused() -> None:
    wrong = {
        "sliding_attention": Gemma2ForCausalLM(Gemma2Config(**SHAPE)),
        "does more than": GraniteForCausalLM(GraniteConfig(**SHAPE, logits_scaling=8.0)),
        "attention_dropout=0.1": tiny_model(attention_dropout=0.1),
        "max_model_len is 128": tiny_model(max_position_embeddings=64),
        "dynamic": tiny_model(
            rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}
        ),
        "causal LM": torch.nn.Linear(2, 2),
    }
    for reason, model in wrong.items():
        with pytest.raises(UnsupportedModel, match=reason):
            HFEngine(model, slots=2, max_model_len=128)


def test_a_window_longer_than_every_context_is_no_window() -> None:
    model = MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=128))
    assert HFEngine(model, slots=2, max_model_len=128).capabilities.max_model_len == 128
    with pytest.raises(UnsupportedModel, match="sliding window of 128"):
        HFEngine(model, slots=2, max_model_len=129)


async def test_four_thousand_requests_draw_from_the_softmax() -> None:
    model = tiny_model(vocab_size=11, initializer_range=0.5)
    async with engine_over(model, slots=64) as engine:
        done: list[Completion] = await asyncio.gather(
            *(
                ask(engine, (1, 2, 3), SamplingSpec(max_tokens=1, seed=n), f"{n}/0")
                for n in range(4000)
            )
        )
    with torch.no_grad():
        expected = 4000 * model.eval()(torch.tensor([[1, 2, 3]])).logits[0, -1].softmax(-1)
    drawn = torch.tensor([c.token_ids[0] for c in done]).bincount(minlength=11)
    # Exceeded once in 10,000 seeds with 10 degrees of freedom.
    assert float(((drawn - expected) ** 2 / expected).sum()) < 35.6

"""Random causal LMs of a few thousand weights, and what they say without any cache."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence

import torch
from torch import nn
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from gigym.agents import Completion, GenFailure, SamplingSpec
from gigym.agents.hf import HFEngine

VOCABULARY = 97
FAMILIES = {
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
    "llama": (LlamaConfig, LlamaForCausalLM),
}


def tiny_config(family: str = "qwen3", **changes: object) -> PretrainedConfig:
    settings = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": 256,
        "initializer_range": 0.2,
        "tie_word_embeddings": True,
    }
    return FAMILIES[family][0](**(settings | changes))


def tiny_model(family: str = "qwen3", **changes: object) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FAMILIES[family][1](tiny_config(family, **changes))


def perturb(model: nn.Module, size: float = 0.05) -> None:
    """An update of all weights, as an optimizer would write it."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=generator))


@torch.no_grad()
def plain_logprobs(
    model: PreTrainedModel, prompt: Sequence[int], tokens: Sequence[int], temperature: float = 1.0
) -> list[float]:
    """Logprobs of the tokens after the prompt, by one forward pass over everything."""
    model.eval()
    logits = model(torch.tensor([[*prompt, *tokens]])).logits[0, len(prompt) - 1 : -1]
    logprobs = (logits / temperature).log_softmax(-1)
    return logprobs.gather(-1, torch.tensor(tokens)[:, None])[:, 0].tolist()


def random_ids(rng: random.Random, count: int) -> tuple[int, ...]:
    return tuple(rng.randrange(VOCABULARY) for _ in range(count))


@contextlib.asynccontextmanager
async def engine_over(
    model: PreTrainedModel, *, deterministic: bool = False, slots: int = 8
) -> AsyncIterator[HFEngine]:
    engine = HFEngine(model, slots=slots, max_model_len=128, deterministic=deterministic)
    try:
        yield engine
    finally:
        await engine.close()


async def answer(
    engine: HFEngine,
    prompt: tuple[int, ...],
    spec: SamplingSpec,
    name: str = "e/0",
    deadline_s: float = 60,
) -> Completion | GenFailure:
    return await engine.generate(prompt, spec, request_id=name, deadline_s=deadline_s)


async def ask(
    engine: HFEngine, prompt: tuple[int, ...], spec: SamplingSpec, name: str = "e/0"
) -> Completion:
    completion = await answer(engine, prompt, spec, name)
    assert isinstance(completion, Completion), completion
    return completion


async def play(
    engine: HFEngine, episode: int, turns: int, delays: random.Random | None = None
) -> list[tuple[tuple[int, ...], Completion]]:
    """An episode of growing context, its observations drawn by number; prompts and replies."""
    rng = random.Random(episode)
    context, story = random_ids(rng, rng.randint(2, 12)), []
    for turn in range(turns):
        spec = SamplingSpec(max_tokens=rng.randint(1, 5), seed=100 * episode + turn)
        completion = await ask(engine, context, spec, f"{episode}/{turn}")
        story.append((context, completion))
        context += completion.token_ids + random_ids(rng, rng.randint(1, 7))
        if delays is not None:
            await asyncio.sleep(delays.choice((0, 0.001, 0.004)))
    return story

"""Rollouts of a real model: what it samples does not depend on the timing of environments."""

from dataclasses import replace

import numpy as np
import torch
from ladder_env import DIALOGUE, PHRASES, SPEC, LatePool, ladders, lines, pool
from transformers import Qwen3Config, Qwen3ForCausalLM

from gigym.agents import build_tokenizer, collect
from gigym.agents.hf import HFEngine
from gigym.envs.pool import SeatPool
from gigym.grouping.types import Group


def model() -> Qwen3ForCausalLM:
    shape = Qwen3Config(
        vocab_size=len(build_tokenizer(PHRASES)),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=400,
        initializer_range=0.2,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Qwen3ForCausalLM(shape)


POLICY = model()


async def rollout(seats: SeatPool) -> tuple[Group, ...]:
    engine = HFEngine(POLICY, slots=8, max_model_len=400, deterministic=True)
    try:
        return await collect(ladders(0, 1, 2), seats, engine, DIALOGUE, SPEC)
    finally:
        await engine.close()


async def test_a_model_samples_the_same_whatever_the_timing_of_environments() -> None:
    base = await rollout(pool(max_steps=5))
    assert not any(group.failures for group in base)
    for seed in (1, 2):
        assert lines(await rollout(LatePool(pool(max_steps=5), seed))) == lines(base)


async def test_an_environment_that_never_answers_does_not_hold_up_the_others() -> None:
    engine = HFEngine(POLICY, slots=8, max_model_len=400, deterministic=True)
    hasty = replace(SPEC, env_deadline_s=0.5)
    late = LatePool(pool(max_steps=5), 0, stuck=(1,))
    (group,) = await collect(ladders(0), late, engine, DIALOGUE, hasty)
    assert [episode.index for episode in group.trajectories] == [0, 2]
    assert engine.roster.live == 0
    await engine.close()


async def test_recorded_logprobs_are_those_of_the_model() -> None:
    (group, *_) = await rollout(pool(max_steps=5))
    for episode in group.trajectories:
        (row,) = episode.rows
        with torch.no_grad():
            logits = POLICY(input_ids=torch.as_tensor(row[None].astype(np.int64))).logits[0]
        logprobs = torch.log_softmax(logits, -1).numpy()
        for turn in episode.turns:
            places = np.arange(turn.start, turn.stop)
            wanted = logprobs[places - 1, row[places]]
            assert np.abs(wanted - turn.logprobs).max() < 1e-4

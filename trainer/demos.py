"""Expert episodes as token rows: what behaviour cloning learns from.

An expert plays a task; with probability `noise` a random admissible action is played in its
place, so that the learner sees how to go on from where a beginner ends up. The expert's own
choices are trained; whether the random ones are too is the caller's decision.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..agents.prompt import Dialogue
from ..envs import TextEnv
from ..envs.base import ExpertKind
from .batch import Row, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSpec:
    """How demonstrations are played."""

    expert: ExpertKind
    noise: float
    """Share of steps in which a random admissible action is played."""
    train_noise: bool
    """Whether the random actions are trained too: they teach what may be said."""
    max_model_len: int
    seed: int


def demonstrations(
    env: TextEnv, dialogue: Dialogue, seeds: Iterable[int], spec: DemoSpec
) -> Iterator[Row]:
    """One row per task: the whole episode in `append` form, trained where the agent speaks."""
    for seed in seeds:
        yield _play(env, dialogue, seed, spec)


def _play(env: TextEnv, dialogue: Dialogue, seed: int, spec: DemoSpec) -> Row:
    rng = random.Random(f"demo:{spec.seed}:{seed}")
    reply = env.start(seed)
    expert = env.expert(spec.expert, seed=rng.getrandbits(31))
    ids = list(dialogue.opening(reply))
    spans: list[Span] = []
    while not reply.done:
        action, noisy = expert.act(reply), False
        if reply.admissible_actions and rng.random() < spec.noise:
            action, noisy = rng.choice(reply.admissible_actions), True
        said = dialogue.reply_ids(action)
        if len(ids) + len(said) > spec.max_model_len:
            break
        if spec.train_noise or not noisy:
            spans.append(_span(len(ids), len(said), len(spans)))
        ids.extend(said)
        reply = env.answer(action)
        if not reply.done:
            ids.extend(dialogue.following(said, reply))
    return Row(ids=np.asarray(ids, np.int32), spans=tuple(spans))


def _span(start: int, length: int, turn: int) -> Span:
    logprobs = np.zeros(length, np.float32)
    return Span(start=start, stop=start + length, turn=turn, advantage=1.0, logprobs=logprobs)

"""Expert episodes as token rows: what behaviour cloning learns from.

An expert plays a task; with probability `noise` a random admissible action is played in its
place. Random actions stay in the context, so the learner sees how things can go wrong, and are
trained on or not as the caller says.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..agents.prompt import Dialogue
from ..envs import TextEnv
from ..envs.base import ExpertKind
from .batch import Demo


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSpec:
    """How demonstrations are played."""

    expert: ExpertKind
    noise: float
    """Share of steps in which a random admissible action is played."""
    max_model_len: int
    seed: int


def demonstrations(
    env: TextEnv, dialogue: Dialogue, seeds: Iterable[int], spec: DemoSpec
) -> Iterator[Demo]:
    """One row per task: the whole episode in `append` form, trained where the agent speaks."""
    for seed in seeds:
        yield _play(env, dialogue, seed, spec)


def _play(env: TextEnv, dialogue: Dialogue, seed: int, spec: DemoSpec) -> Demo:
    rng = random.Random(f"demo:{spec.seed}:{seed}")
    reply = env.start(seed)
    expert = env.expert(spec.expert, seed=rng.getrandbits(31))
    ids = list(dialogue.opening(reply))
    spans: list[tuple[int, int]] = []
    while not reply.done:
        action = expert.act(reply)
        if reply.admissible_actions and rng.random() < spec.noise:
            action = rng.choice(reply.admissible_actions)
        sampled = dialogue.reply_ids(action)
        if len(ids) + len(sampled) > spec.max_model_len:
            break
        spans.append((len(ids), len(ids) + len(sampled)))
        ids.extend(sampled)
        reply = env.answer(action)
        if not reply.done:
            ids.extend(dialogue.following(sampled, reply))
    return Demo(ids=np.asarray(ids[: spans[-1][1]], np.int32), spans=tuple(spans))

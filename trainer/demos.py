"""Expert episodes as token rows: what behaviour cloning learns from.

An expert plays a task; with probability `noise` a random admissible action is played in its
place, so that the learner sees how to go on from where a beginner ends up. The expert's choices
are trained, the random ones never, and the environment's answers with a weight of their own.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
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
    observation_weight: float
    """Weight of the environment's tokens beside 1 for the expert's: they teach how it answers."""
    max_model_len: int
    seed: int


def demonstrations(
    env: TextEnv, dialogue: Dialogue, seeds: Iterable[int], spec: DemoSpec
) -> Iterator[Row]:
    """One row per task: the whole episode in `append` form."""
    for seed in seeds:
        yield _play(env, dialogue, seed, spec)


def _play(env: TextEnv, dialogue: Dialogue, seed: int, spec: DemoSpec) -> Row:
    rng = random.Random(f"demo:{spec.seed}:{seed}")
    reply = env.start(seed)
    expert = env.expert(spec.expert, seed=rng.getrandbits(31))
    pieces = [(dialogue.opening(reply), spec.observation_weight)]
    length = len(pieces[0][0])
    while not reply.done:
        action, weight = expert.act(reply), 1.0
        if reply.admissible_actions and rng.random() < spec.noise:
            action, weight = rng.choice(reply.admissible_actions), 0.0
        said = dialogue.reply_ids(action)
        length += len(said)
        if length > spec.max_model_len:
            break
        pieces.append((said, weight))
        reply = env.answer(action)
        if not reply.done:
            pieces.append((dialogue.following(said, reply), spec.observation_weight))
            length += len(pieces[-1][0])
    return _row(pieces)


def _row(pieces: Sequence[tuple[Sequence[int], float]]) -> Row:
    ids = np.concatenate([np.asarray(ids, np.int32) for ids, _ in pieces])
    stops = np.cumsum([len(ids) for ids, _ in pieces])
    spans = [
        Span(
            start=start,
            stop=int(stop),
            turn=number,
            advantage=weight,
            logprobs=np.zeros(int(stop) - start, np.float32),
        )
        for number, ((part, weight), stop) in enumerate(zip(pieces, stops, strict=True))
        # Nothing predicts the first token of a row.
        if weight and (start := max(1, int(stop) - len(part))) < stop
    ]
    return Row(ids=ids, spans=tuple(spans))

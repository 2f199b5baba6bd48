"""Expert episodes as token rows: what behaviour cloning learns from.

An expert plays a task; with probability `noise` a random admissible action is played in its
place, so that the learner sees how to go on from where a beginner ends up. The expert's choices
are trained, the random ones never, and the environment's answers with a weight of their own.
"""

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..agents.prompt import Dialogue
from ..envs import TextEnv
from ..envs.base import ExpertKind
from .batch import Row, Span

_Piece = tuple[Sequence[int], float]
"""Tokens of one speaker and the weight they are trained with."""


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
    while not reply.done:
        action, weight = expert.act(reply), 1.0
        if reply.admissible_actions and rng.random() < spec.noise:
            action, weight = rng.choice(reply.admissible_actions), 0.0
        said = dialogue.reply_ids(action)
        pieces.append((said, weight))
        reply = env.answer(action)
        if not reply.done:
            pieces.append((dialogue.following(said, reply), spec.observation_weight))
    return _row(_within(pieces, spec.max_model_len))


def _within(pieces: Sequence[_Piece], limit: int) -> list[_Piece]:
    """The pieces from the start that fit into a context together."""
    stops = itertools.accumulate(len(ids) for ids, _ in pieces)
    return [piece for piece, stop in zip(pieces, stops, strict=True) if stop <= limit]


def _row(pieces: Sequence[_Piece]) -> Row:
    ids = np.asarray([token for part, _ in pieces for token in part], np.int32)
    stops = itertools.accumulate(len(part) for part, _ in pieces)
    spans = [
        Span(
            start=start,
            stop=stop,
            turn=number,
            advantage=weight,
            logprobs=np.zeros(stop - start, np.float32),
        )
        for number, ((part, weight), stop) in enumerate(zip(pieces, stops, strict=True))
        # Nothing predicts the first token of a row.
        if weight and (start := max(1, stop - len(part))) < stop
    ]
    return Row(ids=ids, spans=tuple(spans))

"""Demonstrations: what is trained in an expert's episode, and with which weight."""

import random
from collections.abc import Iterator
from functools import cache

import numpy as np

from gigym.agents.prompt import Dialogue, dialogue_for
from gigym.agents.tiny import build_tokenizer
from gigym.envs import TextEnv, make
from gigym.trainer.batch import Row
from gigym.trainer.demos import DemoSpec, demonstrations
from gigym.trainer.warmstart import _chunks


@cache
def dialogue() -> Dialogue:
    return dialogue_for(build_tokenizer(env().vocabulary()))


def env() -> TextEnv:
    return make("ALFWorld-v0", difficulty="tiny", max_steps=14)


def demos(count: int, *, noise: float = 0.0, weight: float = 0.0, limit: int = 1024) -> list[Row]:
    spec = DemoSpec(
        expert="observation", noise=noise, observation_weight=weight, max_model_len=limit, seed=0
    )
    return list(demonstrations(env(), dialogue(), range(count), spec))


def actions(row: Row) -> Iterator[str]:
    reply = env().start(0)
    for span in row.spans:
        if span.advantage == 1.0:
            ids = row.ids[span.start : span.stop].tolist()
            parsed = dialogue().read(ids, "stop", reply)
            yield parsed.text.strip()


def test_replaying_the_trained_actions_wins_the_game() -> None:
    for seed, row in enumerate(demos(6)):
        game = env()
        reply = game.start(seed)
        for action in actions(row):
            assert action in (reply.admissible_actions or ())
            reply = game.answer(action)
        assert reply.terminated


def test_random_actions_are_in_the_context_and_never_trained() -> None:
    quiet, noisy = demos(8), demos(8, noise=0.9)
    assert sum(len(row.spans) for row in noisy) < 0.5 * sum(len(row.spans) for row in quiet)
    assert sum(len(row.ids) for row in noisy) > sum(len(row.ids) for row in quiet)


def test_observations_are_trained_with_their_own_weight() -> None:
    (row,) = demos(1, weight=0.25)
    weights = [span.advantage for span in row.spans]
    assert weights == [0.25, 1.0] * (len(weights) // 2)
    assert row.spans[0].start == 1
    assert row.spans[-1].stop == len(row.ids)
    assert row.weight == sum((s.stop - s.start) * s.advantage for s in row.spans)


def test_a_demonstration_ends_before_the_context_is_full() -> None:
    assert all(len(row.ids) <= 60 for row in demos(4, limit=60))


def test_equal_seeds_give_equal_demonstrations() -> None:
    for one, two in zip(demos(3, noise=0.5), demos(3, noise=0.5), strict=True):
        assert np.array_equal(one.ids, two.ids)


def test_batches_hold_rows_of_like_length_and_every_row_once() -> None:
    rows = [Row(ids=np.zeros(n, np.int32), spans=()) for n in range(200)]
    random.Random(1).shuffle(rows)
    chunks = _chunks(rows, 8, random.Random(0))
    assert sorted(len(row.ids) for chunk in chunks for row in chunk) == list(range(200))
    spreads = [max(len(r.ids) for r in c) - min(len(r.ids) for r in c) for c in chunks]
    assert np.median(spreads) < 25

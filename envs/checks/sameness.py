"""Checks that equal seeds and actions give equal episodes, whatever happens around them."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from .probe import HASH_SEEDS, elsewhere
from .subject import Fault, NotChecked, Recorder, Subject
from .walks import Walk, as_tree, difference, tree_difference


def determinism(subject: Subject) -> Iterator[Fault]:
    """An episode played again is the same: in the same instance, and in a fresh one."""
    _must_be_deterministic(subject)
    again = subject.make()
    for walk in (*subject.walks, *reversed(subject.walks)):
        for player, where in ((again, "an instance used before"), (subject.make(), "a fresh one")):
            yield from _same(walk, player, f"the same episode in {where}")


def interleaving(subject: Subject) -> Iterator[Fault]:
    """Two instances that step in turn play what each plays alone."""
    _must_be_deterministic(subject)
    walks = subject.walks if len(subject.walks) > 1 else subject.walks * 2
    for one, other in itertools.pairwise(walks):
        players = subject.make(), subject.make()
        replies = [
            [player.start(walk.seed)] for player, walk in zip(players, (one, other), strict=True)
        ]
        for turn in range(max(len(one.actions), len(other.actions))):
            for player, walk, got in zip(players, (one, other), replies, strict=True):
                if turn < len(walk.actions):
                    got.append(player.answer(walk.actions[turn]))
        for player, walk, got in zip(players, (one, other), replies, strict=True):
            apart = difference(walk.replies, got)
            if apart:
                claim = f"as when played alone, {apart[0]}"
                yield Fault(expected=claim, got=f"{apart[1]} beside a second instance", by=player)
                return


def processes(subject: Subject) -> Iterator[Fault]:
    """Other processes, with other hash seeds, play the same episodes."""
    _must_be_deterministic(subject)
    if subject.origin is None:
        raise NotChecked("other processes cannot import its class")
    want = [[as_tree(reply) for reply in walk.replies] for walk in subject.walks]
    for seed, told in zip(HASH_SEEDS, elsewhere(subject), strict=True):
        where = f"in a process with PYTHONHASHSEED={seed}"
        if isinstance(told, str):
            yield Fault(expected=f"episodes {where}", got=told)
            return
        for walk, one, other in zip(subject.walks, want, told, strict=True):
            apart = tree_difference(one, other)
            if apart:
                yield Fault(expected=apart[0], got=f"{apart[1]} {where}", by=_record(walk))
                return


def global_rng(subject: Subject) -> Iterator[Fault]:
    """The process's generators (`random`, `numpy.random`) are neither used nor seeded."""
    player, walk = subject.local(), subject.walks[-1]
    kept = random.getstate(), _numpy_state()
    try:
        random.seed(20)
        np.random.seed(20)
        before = random.getstate(), _numpy_state()
        player.play(walk)
        for name, was, now in zip(_NAMES, before, (random.getstate(), _numpy_state()), strict=True):
            if repr(was) != repr(now):
                claim = f"the state of {name} as before the episode"
                yield Fault(
                    expected=claim, got="another state; use a generator of your own", by=player
                )
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


_NAMES = ("random", "numpy.random")


def _numpy_state() -> Any:  # noqa: ANN401
    state = cast("Any", np.random.get_state(legacy=True))
    return (state[0], state[1].tolist(), *state[2:])


def _same(walk: Walk, player: Recorder, claim: str) -> Iterator[Fault]:
    apart = difference(walk.replies, player.play(walk))
    if apart:
        yield Fault(expected=f"{claim}: {apart[0]}", got=apart[1], by=player)


def _must_be_deterministic(subject: Subject) -> None:
    if not subject.card.deterministic:
        raise NotChecked("its card says that it is not deterministic")


def _record(walk: Walk) -> Recorder:
    record = Recorder(cast("Any", None))
    record.seed, record.actions = walk.seed, list(walk.actions)
    return record


def walks_longer_than(subject: Subject, turns: int) -> Sequence[Walk]:
    """Walks worth cutting in two. Raises `NotChecked` when there are none."""
    found = [walk for walk in subject.walks if len(walk.actions) > turns]
    if not found:
        raise NotChecked(f"no episode of more than {turns} steps was seen")
    return found

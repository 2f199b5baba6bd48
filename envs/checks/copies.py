"""Checks of snapshots, restores and forks."""

import json
import random
from collections.abc import Iterator

from ..errors import EpisodeError, Unsupported
from .sameness import walks_longer_than
from .subject import Fault, NotChecked, Recorder, Subject
from .walks import Walk, difference, pick, shown

_SNAPSHOT_BYTES = 2**20
"""What a server passes on."""


def snapshot(subject: Subject) -> Iterator[Fault]:
    """A snapshot is JSON of at most 1 MiB, changes nothing, and comes back as it was."""
    for walk in subject.walks:
        player, twin = _able(subject), subject.local()
        player.play(walk)
        first, second = player.env.snapshot(), player.env.snapshot()
        if first != second:
            yield Fault(
                expected="two snapshots of one state that are equal",
                got="two that differ",
                by=player,
            )
        if not _is_json(first):
            yield Fault(expected="bytes of JSON", got=shown(first), by=player)
            return
        if len(first) > _SNAPSHOT_BYTES:
            got = f"{len(first)} bytes"
            yield Fault(
                expected=f"a snapshot of at most {_SNAPSHOT_BYTES} bytes", got=got, by=player
            )
        twin.env.restore(first)
        if twin.env.snapshot() != first:
            claim = "a snapshot that is the same after a restore"
            yield Fault(expected=claim, got="another one", by=player)


def restore(subject: Subject) -> Iterator[Fault]:
    """A restored episode has the same future: in another instance, and in the one it is from."""
    for walk in walks_longer_than(subject, 1):
        for cut in sorted({1, len(walk.actions) // 2, len(walk.actions) - 1}):
            player = _able(subject)
            _first(player, walk, cut)
            frozen = player.env.snapshot()
            for action in walk.actions[cut:]:
                player.answer(action)
            for env, where in ((subject.local(), "another instance"), (player, "its own instance")):
                yield from _future(env, walk, cut, (frozen, where))


def fork(subject: Subject) -> Iterator[Fault]:
    """Forks go their own ways: none changes what another, or the parent, answers."""
    for walk in walks_longer_than(subject, 1):
        cut = len(walk.actions) // 2
        parent = _able(subject)
        _first(parent, walk, cut)
        same, apart = (parent.beside(env) for env in parent.env.fork(2))
        _stray(apart, walk, subject)
        for player, who in ((same, "a fork"), (parent, "the parent of forks")):
            got = [player.answer(action) for action in walk.actions[cut:]]
            found = difference(walk.replies[cut + 1 :], got)
            if found:
                claim = f"{who} continues as if alone, {found[0]}"
                yield Fault(
                    expected=claim, got=f"{found[1]}, after a fork went elsewhere", by=player
                )
                return


def _future(player: Recorder, walk: Walk, cut: int, held: tuple[bytes, str]) -> Iterator[Fault]:
    frozen, where = held
    replies = [player.env.restore(frozen)]
    player.seed, player.actions = walk.seed, list(walk.actions[:cut])
    replies += [player.answer(action) for action in walk.actions[cut:]]
    found = difference(walk.replies[cut:], replies)
    if found:
        claim = f"after a restore at step {cut} in {where}: {found[0]}"
        yield Fault(expected=claim, got=found[1], by=player)


def _able(subject: Subject) -> Recorder:
    player = subject.local()
    player.start(subject.seeds[0])
    try:
        player.env.snapshot()
    except Unsupported:
        raise NotChecked("it has no snapshots") from None
    return player


def _first(player: Recorder, walk: Walk, cut: int) -> None:
    player.start(walk.seed)
    for action in walk.actions[:cut]:
        player.answer(action)


def _stray(player: Recorder, walk: Walk, subject: Subject) -> None:
    """Go another way than the walk did."""
    rng = random.Random(f"gigym check fork {walk.seed}")
    reply = walk.replies[len(player.actions)]
    for _ in range(subject.steps):
        try:
            reply = player.answer(pick(rng, reply, subject.actions))
        except EpisodeError:
            return


def _is_json(snapshot: bytes) -> bool:
    try:
        json.loads(snapshot)
    except (ValueError, TypeError):
        return False
    return True

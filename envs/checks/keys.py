"""Checks of state keys: equal keys where states are equal, and nowhere else.

Random walks cross their own paths; where a key is met again, what followed it before must follow
it now. Where there are snapshots, the frozen state tells whether two states are the same.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..base import TextEnv, read_snapshot
from ..errors import Unsupported
from ..types import Reply
from .subject import Fault, NotChecked, Recorder, Subject
from .walks import pick, shown

_ROUNDS = 3
"""Walks from each seed."""
_AGAIN = 0.5
"""Share of steps that do what was done before in the same state."""


@dataclass(slots=True)
class Seen:
    """What is known of keys, and which path told it first."""

    choices: dict[str, tuple[Any, str]] = field(default_factory=dict[str, tuple[Any, str]])
    outcomes: dict[str, dict[str, tuple[Any, str]]] = field(
        default_factory=dict[str, dict[str, tuple[Any, str]]]
    )
    states: dict[str, tuple[str, str, bytes]] = field(
        default_factory=dict[str, tuple[str, str, bytes]]
    )
    """By key: the state as text, the path to it, and a snapshot."""
    keys: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


def state_key(subject: Subject) -> Iterator[Fault]:
    """Equal keys have equal admissible actions, and equal answers to equal actions."""
    if not subject.card.state_is_markov:
        raise NotChecked("its card says that its keys do not decide the future")
    seen = Seen()
    for player, reply, rng in _rounds(subject):
        while not reply.done and len(player.actions) < subject.steps:
            key = reply.state_key or ""
            action = _action(rng, reply, seen, subject)
            path = _path(player)
            yield from _agrees(seen.choices, key, (reply.admissible_actions, path), player)
            reply = player.answer(action)
            told = seen.outcomes.setdefault(key, {})
            yield from _agrees(told, action, (_outcome(reply), path), player)


def state(subject: Subject) -> Iterator[Fault]:
    """The frozen state and the key name the same states; the step count is no part of a key."""
    seen = Seen()
    for player, reply, rng in _rounds(subject):
        while not reply.done and len(player.actions) < subject.steps:
            key, frozen, path = reply.state_key or "", _frozen(player.env), _path(player)
            first = seen.states.setdefault(key, (frozen, path, player.env.snapshot()))
            if first[0] != frozen:
                yield from _two_states(subject, first, player)
            held = seen.keys.setdefault(frozen, (key, path))
            if held[0] != key:
                claim = f"the key {held[0]} of the same frozen state, met by {held[1]}"
                got = f"{key}; a key may not depend on the step count or on the texts seen"
                yield Fault(expected=claim, got=got, by=player)
            reply = player.answer(_action(rng, reply, seen, subject))


def _two_states(
    subject: Subject, first: tuple[str, str, bytes], player: Recorder
) -> Iterator[Fault]:
    """Two states with one key: wrong if keys decide futures and these differ, else worth a look."""
    state, path, snapshot = first
    claim = f"one state for one key, as after {path}: {shown(state)}"
    held = snapshot, player.env.snapshot()
    for number in range(_ROUNDS):
        apart = _apart(subject, held, random.Random(f"gigym check futures {number}"))
        if apart is not None:
            actions, one, other = apart
            by = player.beside(player.player)
            by.actions += actions
            claim = f"{claim}, and so the future {shown(one)}"
            doubt = not subject.card.state_is_markov
            yield Fault(expected=claim, got=shown(other), by=by, doubt=doubt)
            return
    got = f"{shown(_frozen(player.env))}, with the same futures as far as was seen"
    yield Fault(expected=claim, got=got, by=player, doubt=True)


def _apart(
    subject: Subject, held: tuple[bytes, bytes], rng: random.Random
) -> tuple[list[str], object, object] | None:
    """Actions after which two snapshots answer differently, and their answers."""
    one, other = subject.local(), subject.local()
    reply, twin = one.env.restore(held[0]), other.env.restore(held[1])
    while not (reply.done or twin.done) and len(one.actions) < subject.steps:
        action = pick(rng, twin, subject.actions)
        reply, twin = one.answer(action), other.answer(action)
        if _outcome(reply) != _outcome(twin):
            return one.actions, _outcome(reply), _outcome(twin)
    return None


def _rounds(subject: Subject) -> Iterator[tuple[Recorder, Reply, random.Random]]:
    """Fresh episodes, each with a generator for its actions."""
    for seed in subject.seeds:
        for number in range(_ROUNDS):
            player = subject.make()
            reply = player.start(seed)
            if reply.state_key is None:
                raise NotChecked("it has no state keys")
            yield player, reply, random.Random(f"gigym check keys {seed} {number}")


def _action(rng: random.Random, reply: Reply, seen: Seen, subject: Subject) -> str:
    known = sorted(seen.outcomes.get(reply.state_key or "", {}))
    if known and rng.random() < _AGAIN:
        return rng.choice(known)
    return pick(rng, reply, subject.actions)


def _agrees(
    table: dict[str, tuple[Any, str]], name: str, fact: tuple[Any, str], player: Recorder
) -> Iterator[Fault]:
    """Whether a fact is the one that the same name had before."""
    held = table.setdefault(name, fact)
    if held[0] != fact[0]:
        claim = f"{shown(held[0])}, as after {held[1]}, which has the same state key"
        yield Fault(expected=claim, got=shown(fact[0]), by=player)


def _outcome(reply: Reply) -> tuple[Any, ...]:
    return reply.observation, reply.reward, reply.terminated, reply.state_key


def _frozen(env: TextEnv) -> str:
    try:
        return json.dumps(read_snapshot(env.snapshot()).frozen, sort_keys=True)
    except Unsupported:
        raise NotChecked("it has no snapshots") from None


def _path(player: Recorder) -> str:
    return f"seed {player.seed} and {shown(player.actions)}"

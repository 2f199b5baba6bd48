"""Walks: episodes that a check plays, and how two of them differ."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ... import GigymError
from ..types import Policy, Reply

if TYPE_CHECKING:
    from .subject import Recorder

WORDS = (
    "look",
    "help",
    "inventory",
    "1",
    "yes",
    "north",
    "wait",
    "xyzzy",
    "search[red shoes]",
    "42",
)
"""Tried where an environment does not list what it accepts, and now and then where it does."""
_STRAY = 0.15
"""Share of actions that are not admissible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """An episode, or the beginning of one."""

    seed: int
    actions: tuple[str, ...]
    replies: tuple[Reply, ...]
    """One more than actions: the reset's comes first."""


def random_walk(player: "Recorder", seed: int, steps: int, actions: Sequence[str]) -> Walk:
    """Admissible actions by a generator of our own, and some that are not."""
    rng = random.Random(f"gigym check walk {seed}")
    replies = [player.start(seed)]
    while not replies[-1].done and len(replies) <= steps:
        replies.append(player.answer(pick(rng, replies[-1], actions)))
    return Walk(seed=seed, actions=tuple(player.actions), replies=tuple(replies))


def pick(rng: random.Random, reply: Reply, actions: Sequence[str]) -> str:
    """An action to try next."""
    strange = (*actions, *WORDS)
    admissible = reply.admissible_actions or actions
    return rng.choice(admissible if admissible and rng.random() > _STRAY else strange)


def expert_walk(player: "Recorder", seed: int, steps: int) -> Walk | None:
    """The episode of a scripted expert, to its end; None where there is no expert."""
    policy = _expert(player, seed)
    if policy is None:
        return None
    replies = [player.start(seed)]
    while not replies[-1].done and len(replies) <= 8 * steps:
        replies.append(player.answer(policy.act(replies[-1])))
    return Walk(seed=seed, actions=tuple(player.actions), replies=tuple(replies))


def difference(want: Sequence[Reply], got: Sequence[Reply]) -> tuple[str, str] | None:
    """What two walks disagree in first, as two texts; None when they are equal."""
    return tree_difference([as_tree(reply) for reply in want], [as_tree(reply) for reply in got])


def tree_difference(
    want: Sequence[dict[str, Any]], got: Sequence[dict[str, Any]]
) -> tuple[str, str] | None:
    """The same for replies as JSON data."""
    for step, (one, other) in enumerate(zip(want, got, strict=False)):
        found = _fields(one, other, f"step {step}")
        if found:
            return found
    return None if len(want) == len(got) else (f"{len(want)} replies", f"{len(got)} replies")


def as_tree(reply: Reply) -> dict[str, Any]:
    """A reply in the form in which it crosses processes."""
    return json.loads(json.dumps(asdict(reply), default=repr))


def shown(value: object) -> str:
    """A value for a finding, cut to a length that can be read."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text)} characters)"


def _fields(one: dict[str, Any], other: dict[str, Any], where: str) -> tuple[str, str] | None:
    for name in one:
        if one[name] != other.get(name):
            return f"{where}: {name} {shown(one[name])}", f"{name} {shown(other.get(name))}"
    return None


def _expert(player: "Recorder", seed: int) -> Policy | None:
    make = getattr(player.player, "expert", None)
    if make is None:
        return None
    for kind in ("state", "observation"):
        try:
            return make(kind, seed)
        except GigymError:
            continue
    return None

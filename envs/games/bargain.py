"""What a negotiation is about (`Stakes`), how it stands (`Talks`), and what is said in it.

Stakes are drawn from the name of a task; the three splits share none. Speech is kept on one
line of printable characters in quotes, so that nobody can write a line in another's name.
"""

import hashlib
import json
import random
import re
from dataclasses import dataclass
from typing import Any, cast

from ..types import JsonValue
from .deals import TOTAL, Counts, rest, splits, valuations, worth

ITEMS = ("book", "hat", "ball", "pen", "cup", "key", "lamp", "coin")
MAX_SPEECH = 200
"""Characters of one `say`."""

_COUNT = re.compile(r"([a-z]+)=([0-9]{1,3})\Z", re.ASCII)
_SHARES = {"train": range(8), "dev": range(8, 9), "test": range(9, 10)}
"""Tenths of all stakes that belong to each split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """The pool, and what each seat privately makes of it."""

    items: tuple[str, ...]
    pool: Counts
    values: tuple[Counts, Counts]
    """Points per item, of both seats."""
    reservations: tuple[int, int] = (0, 0)
    """Points of each seat without a deal."""
    first: int = 0
    """The seat that moves first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One turn: what was done, and by whom."""

    seat: int
    verb: str
    """`propose`, `accept`, `reject` or `quit`."""
    keep: Counts = ()
    """Of a proposal: what its speaker keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """The state of a negotiation."""

    stakes: Stakes
    offers: tuple[Offer, ...] = ()
    """All turns so far."""
    said: tuple[int, int] = (0, 0)
    """Speeches without a command in the present turn, per seat."""


def draw_stakes(task: str, with_reservations: bool) -> Stakes:
    """The stakes of a task, redrawn until they belong to its split."""
    rng = random.Random(f"negotiation/{task}")
    tenths = _SHARES[task.partition("/")[0]]
    while True:
        kinds = rng.randint(3, 5)
        items = tuple(sorted(rng.sample(ITEMS, kinds), key=ITEMS.index))
        pool = tuple(rng.randint(1, 4) for _ in items)
        choices = valuations(pool)
        if len(choices) < 2:
            continue
        one, other = rng.sample(choices, 2)
        content = json.dumps([items, pool, one, other]).encode()
        if hashlib.blake2b(content, digest_size=4).digest()[0] % 10 not in tenths:
            continue
        reservations = (rng.randint(0, 4), rng.randint(0, 4)) if with_reservations else (0, 0)
        return Stakes(
            items=items,
            pool=pool,
            values=(one, other),
            reservations=reservations,
            first=rng.randint(0, 1),
        )


def written(items: tuple[str, ...], share: Counts) -> str:
    """A share as commands write it: `book=2 hat=0`."""
    return " ".join(f"{item}={count}" for item, count in zip(items, share, strict=True))


def read_share(stakes: Stakes, words: list[str]) -> Counts | str:
    """The share that `book=2 hat=1` names, or why it names none."""
    kept: dict[str, int] = {}
    for word in words:
        match = _COUNT.match(word)
        if match is None or match[1] not in stakes.items:
            return f"write {written(stakes.items, stakes.pool)} with your own numbers"
        if match[1] in kept:
            return f"{match[1]} is named twice"
        kept[match[1]] = int(match[2])
    share = tuple(kept.get(item, 0) for item in stakes.items)
    for item, count, held in zip(stakes.items, share, stakes.pool, strict=True):
        if count > held:
            return f"the pool holds {held} of {item}, not {count}"
    return share


def spoken(text: str) -> str:
    """Speech as the others hear it: one line in quotes, printable, at most 200 characters."""
    plain = "".join(char if char.isprintable() and char != '"' else " " for char in text)
    return f'"{" ".join(plain.split())[:MAX_SPEECH]}"'


def freeze_talks(talks: Talks) -> JsonValue:
    """The state as JSON data."""
    stakes = talks.stakes
    return {
        "items": list(stakes.items),
        "pool": list(stakes.pool),
        "values": [list(values) for values in stakes.values],
        "reservations": list(stakes.reservations),
        "first": stakes.first,
        "offers": [[offer.seat, offer.verb, list(offer.keep)] for offer in talks.offers],
        "said": list(talks.said),
    }


def thaw_talks(frozen: JsonValue) -> Talks:
    """The state again. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    held = cast("dict[str, Any]", frozen)
    one, other = (_counts(values) for values in held["values"])
    stakes = Stakes(
        items=tuple(held["items"]),
        pool=_counts(held["pool"]),
        values=(one, other),
        reservations=_pair(held["reservations"]),
        first=_pair([held["first"], 0])[0],
    )
    if len(stakes.items) != len(stakes.pool) or not set(stakes.items) <= set(ITEMS):
        raise ValueError("items that do not fit the pool")
    if len(splits(stakes.pool)) > 5**5 or {worth(v, stakes.pool) for v in (one, other)} != {TOTAL}:
        raise ValueError("a pool or values that no task has")
    offers = tuple(_offer(stakes, *row) for row in held["offers"])
    return Talks(stakes=stakes, offers=offers, said=_pair(held["said"]))


def _offer(stakes: Stakes, seat: int, verb: str, keep: list[int]) -> Offer:
    if seat not in (0, 1) or verb not in ("propose", "accept", "reject", "quit"):
        raise ValueError(f"a turn of {seat!r:.20}: {verb!r:.20}")
    share = _counts(keep)
    if (verb == "propose") != bool(share) or (share and min(rest(stakes.pool, share)) < 0):
        raise ValueError(f"a proposal of {share!r:.80}")
    return Offer(seat=seat, verb=verb, keep=share)


def _counts(numbers: list[int]) -> Counts:
    counts = tuple(int(number) for number in numbers)
    if any(count < 0 for count in counts):
        raise ValueError("a negative count")
    return counts


def _pair(numbers: list[int]) -> tuple[int, int]:
    one, other = _counts(numbers)
    return one, other

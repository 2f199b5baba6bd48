"""A room drawn from the tables: which receptacles, where, and what lies in them.

Comes in: a seeded generator, the goal, the knobs. Goes out: a frozen `Room` that satisfies the
knobs, or None where this draw cannot (the caller draws again). Names are CamelCase types plus a
number; no text of the game format is made here.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from .difficulty import Difficulty
from .tables import Kind, tables

APPLIANCE: Mapping[Kind, str] = {"clean": "SinkBasin", "heat": "Microwave", "cool": "Fridge"}
LAMP = "DeskLamp"
_LAYOUT_SALT = "layout 168"
"""Decides which layouts are held out; part of every game's identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the player shall do, and in which sort of room."""

    kind: Kind
    room: str
    """`kitchen`, `living_room`, `bedroom` or `bathroom`."""
    thing: str
    """Type of the object to bring."""
    target: str
    """Type of the receptacle to bring it to; the lamp's type in `look` games."""

    @property
    def copies(self) -> int:
        """How many objects of the type must be brought."""
        return 2 if self.kind == "two" else 1

    def allows(self, place: str, thing: str) -> bool:
        """Whether such an object may lie in such a receptacle at the start."""
        at_goal = place == self.target and thing == self.thing
        return not (at_goal and self.kind in ("place", "two"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Receptacle:
    """One receptacle of the room; closed at the start where it can be opened."""

    type: str
    number: int
    location: int
    openable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object and the receptacle it lies in."""

    type: str
    number: int
    holder: Receptacle


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """All that a generated game is made from."""

    goal: Goal
    receptacles: tuple[Receptacle, ...]
    things: tuple[Thing, ...]


def held_out(room: Room) -> bool:
    """Whether rooms with these numbers of receptacles are for test games: a quarter of them are.

    Neither the goal nor what lies where plays a part, so the two splits share no layout.
    """
    counts = sorted(Counter(receptacle.type for receptacle in room.receptacles).items())
    text = f"{_LAYOUT_SALT}:{counts}".encode("ascii")
    return hashlib.blake2b(text, digest_size=8).digest()[0] % 4 == 0


def draw_room(rng: Random, goal: Goal, knobs: Difficulty) -> Room | None:
    """One try at a room for the goal; None when it misses a bound of the knobs."""
    receptacles = _draw_receptacles(rng, goal, knobs)
    things = _draw_things(rng, goal, receptacles, knobs)
    fits = (
        _within(len(receptacles), knobs.receptacles or tables().span(goal.room))
        and (knobs.objects is None or _within(len(things), knobs.objects))
        and sum(r.openable for r in receptacles) >= knobs.closed
        and sum(t.type == goal.thing for t in things) >= goal.copies
        and (goal.kind != "look" or any(t.type == LAMP for t in things))
    )
    return Room(goal=goal, receptacles=receptacles, things=things) if fits else None


def _within(number: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= number <= bounds[1]


def _draw_receptacles(rng: Random, goal: Goal, knobs: Difficulty) -> tuple[Receptacle, ...]:
    needed = _needed_types(rng, goal)
    counts = _draw_counts(rng, goal.room, needed, knobs.remix)
    if knobs.receptacles is not None:
        counts = _thin_out(rng, goal, needed, counts, knobs)
    placed: list[Receptacle] = []
    location = 0
    for place in sorted(counts):
        opened, total = tables().openable.get(place, (0, 1))
        for number in range(1, counts[place] + 1):
            location += not placed or rng.random() >= knobs.shared
            openable = rng.random() * total < opened
            placed.append(
                Receptacle(type=place, number=number, location=location, openable=openable)
            )
    return tuple(placed)


def _needed_types(rng: Random, goal: Goal) -> tuple[str, ...]:
    """Receptacle types without which the goal cannot be reached."""
    if goal.kind != "look":
        return (goal.target, APPLIANCE.get(goal.kind, goal.target))
    hosts = {p: held[LAMP] for p, held in tables().placed[goal.room].items() if LAMP in held}
    return (rng.choices(list(hosts), list(hosts.values()))[0],)


def _draw_counts(rng: Random, room: str, needed: Sequence[str], remix: float) -> dict[str, int]:
    """How many receptacles of each type: an official layout, partly overruled by others."""
    layouts = tables().layouts[room]
    base = rng.choice([layout for layout in layouts if needed[0] in layout])
    counts: dict[str, int] = {}
    for place in sorted({place for layout in layouts for place in layout}):
        source = rng.choice(layouts) if rng.random() < remix else base
        counts[place] = max(source.get(place, 0), int(place in needed))
    return counts


def _thin_out(
    rng: Random, goal: Goal, needed: Sequence[str], counts: Mapping[str, int], knobs: Difficulty
) -> dict[str, int]:
    """A small room: what the goal and the knobs need, then one of each type, then a second."""
    low, high = knobs.receptacles or (0, sum(counts.values()))
    budget = rng.randint(low, high)
    closable = [place for place in counts if place in tables().openable]
    closable = [place for place in closable for _ in range(counts[place])]
    kept = Counter(dict.fromkeys(needed, 1))
    kept |= Counter(rng.sample(closable, min(knobs.closed, len(closable))))
    for level in range(1, max(counts.values()) + 1):
        for place in _fuller_first(rng, goal.room, [p for p in counts if counts[p] >= level]):
            if kept[place] < level and kept.total() < budget:
                kept[place] += 1
    return dict(kept)


def _fuller_first(rng: Random, room: str, places: Sequence[str]) -> list[str]:
    """A random order in which receptacles that usually hold more tend to come first."""
    drawn = {place: rng.random() * (0.2 + tables().load(room, place)) for place in places}
    return sorted(places, key=lambda place: -drawn[place])


def _draw_things(
    rng: Random, goal: Goal, receptacles: Sequence[Receptacle], knobs: Difficulty
) -> tuple[Thing, ...]:
    things: list[Thing] = []
    places = {r.type for r in receptacles}
    for thing, copies in _draw_amounts(rng, goal, knobs):
        chance = {
            place: tables().likelihood(goal.room, place, thing)
            for place in places
            if goal.allows(place, thing)
        }
        weights = [chance.get(r.type, 0.0) for r in receptacles]
        if thing == goal.thing:
            weights = _hidden_as_often(goal.kind, receptacles, weights)
        if any(weights):
            holders = rng.choices(receptacles, weights, k=copies)
            things += [
                Thing(type=thing, number=number, holder=holder)
                for number, holder in enumerate(holders, start=1)
            ]
    return tuple(sorted(things, key=lambda thing: (thing.type, thing.number)))


def _hidden_as_often(
    kind: Kind, receptacles: Sequence[Receptacle], weights: Sequence[float]
) -> list[float]:
    """Weights under which the goal's objects start behind doors as often as in official games."""
    hidden = sum(w for w, r in zip(weights, receptacles, strict=True) if r.openable)
    seen = sum(weights) - hidden
    if not hidden or not seen:
        return list(weights)
    closed, total = tables().target_closed[kind]
    doors = (closed / hidden, (total - closed) / seen)
    return [w * doors[not r.openable] for w, r in zip(weights, receptacles, strict=True)]


def _draw_amounts(rng: Random, goal: Goal, knobs: Difficulty) -> Iterator[tuple[str, int]]:
    """Object types with the number of copies, the goal's own first, until the budget is spent."""
    copies = tables().copies[goal.room]
    budget = rng.randint(*knobs.objects) if knobs.objects else sum(map(len, copies.values()))
    number = _draw_number(rng, tables().target_copies[goal.kind], goal.copies, knobs.copies)
    yield goal.thing, number
    budget -= number
    least = {LAMP: 1} if goal.kind == "look" else {}
    others = [thing for thing in copies if thing not in (goal.thing, *least)]
    rng.shuffle(others)
    for thing in (*least, *others):
        number = _draw_number(rng, copies[thing], least.get(thing, 0), knobs.copies)
        number = min(number, budget)
        budget -= number
        if number:
            yield thing, number


def _draw_number(rng: Random, games: Sequence[int], least: int, most: int) -> int:
    """How many copies of a type, as often as the official games have them."""
    choices = range(least, min(most, len(games) - 1) + 1)
    weights = games[least : choices.stop]
    return rng.choices(choices, weights)[0] if any(weights) else least

"""An expert that reads and never peeks: `Searcher` looks for what it needs, then does the task.

Comes in: replies (text, admissible actions, the task sentence). Goes out: one admissible action at
a time. It looks first where such objects usually are per step of walking and opening, and
among equals in a seeded order. It keeps up with whatever was really played: act from any state.
"""

from collections.abc import Collection, Iterator
from random import Random

from ..errors import Unsupported
from ..types import Reply
from .beliefs import Beliefs, base
from .sentences import Wish, read_task
from .words import words

_APPLIANCE = {"clean": "sinkbasin", "heat": "microwave", "cool": "fridge"}
_RARE = 0.02
"""Chance given to a receptacle in which the official games never have such an object."""


class Searcher:
    """A policy that plays from observations alone; every reset it reads starts it anew."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._rng = Random(f"searcher:{seed}")
        self._wish: Wish | None = None
        self._beliefs = Beliefs()
        self._luck: dict[str, float] = {}

    def act(self, reply: Reply) -> str:
        """The next action; raises `Unsupported` where the game's task was never told."""
        wish = self._restart(reply)
        self._beliefs.read(reply)
        admissible = frozenset(reply.admissible_actions or ())
        chosen = next(filter(admissible.__contains__, self._intentions(wish)), None)
        if chosen is None:
            self._beliefs.forget()
            chosen = next(filter(admissible.__contains__, self._intentions(wish)), "look")
        return chosen

    def _restart(self, reply: Reply) -> Wish:
        told = read_task(reply.observation)
        if told is not None:
            self._beliefs, self._luck, self._wish = Beliefs(), {}, told
            self._rng = Random(f"searcher:{self._seed}:{reply.observation}")
        elif self._wish is None:
            self._wish = read_task(str(reply.info.get("goal", "")))
        if self._wish is None:
            raise Unsupported(
                "the searcher was not told the task: let it act from the reset on, or put the task "
                "line into the reply's info under 'goal'"
            )
        return self._wish

    def _intentions(self, wish: Wish) -> Iterator[str]:
        """Actions in order of preference; the first admissible one is taken."""
        held = self._beliefs.hand
        if held is None:
            yield from self._fetch(wish)
        elif base(held) != wish.thing:
            yield from self._put_away(held)
        elif wish.kind == "look":
            yield from self._light(wish.target)
        elif wish.kind in _APPLIANCE and (held, wish.kind) not in self._beliefs.treated:
            for place in self._places(_APPLIANCE[wish.kind]):
                yield from self._visit(place, f"{wish.kind} {held} with {place}", through=True)
        else:
            for place in self._targets(wish):
                yield from self._visit(place, f"move {held} to {place}")

    def _fetch(self, wish: Wish) -> Iterator[str]:
        done = self._brought(wish, self._targets(wish)[0]) if wish.kind == "two" else set[str]()
        found = [(n, p) for n, p in self._beliefs.holders(wish.thing) if n not in done]
        for name, place in found:
            # Had it been treated, the game would be won: some reply was missed.
            if base(place) == wish.target:
                self._beliefs.treated.discard((name, wish.kind))
        for name, place in sorted(found, key=lambda pair: self._labour(wish, *pair)):
            yield from self._visit(place, f"take {name} from {place}")
        wanted = {wish.thing}
        if wish.kind == "look" and not any(self._beliefs.holders(wish.target)):
            wanted.add(wish.target)
        yield from self._search(wanted)

    def _labour(self, wish: Wish, name: str, place: str) -> tuple[int, float]:
        steps, fortune = self._effort(place)
        treated = wish.kind not in _APPLIANCE or (name, wish.kind) in self._beliefs.treated
        return steps + (0 if treated else 2), fortune

    def _light(self, lamp: str) -> Iterator[str]:
        for name, place in self._beliefs.holders(lamp):
            yield from self._visit(place, f"use {name}", through=True)
        yield from self._search({lamp})

    def _put_away(self, held: str) -> Iterator[str]:
        """Rid the hand of something unwanted, here if anything here takes it."""
        yield from (f"move {held} to {place}" for place in self._beliefs.here)
        kind = base(held)
        willing = [p for p in self._beliefs.places if (kind, p) not in self._beliefs.refused]
        usual = [p for p in willing if kind in words().holds.get(base(p), ())]
        for place in sorted(usual, key=self._effort) + willing:
            yield from self._visit(place, f"move {held} to {place}")

    def _search(self, kinds: Collection[str]) -> Iterator[str]:
        """Look into what was not looked into yet, where most is to be found per step first."""
        room = words().room_of(map(base, self._beliefs.places))
        expected = words().expected[room]

        def promise(place: str) -> tuple[float, float]:
            chance = sum(expected.get((base(place), kind), _RARE) for kind in kinds)
            return chance / (1 + self._effort(place)[0]), self._fortune(place)

        unseen = [p for p in self._beliefs.places if p not in self._beliefs.contents]
        for place in sorted(unseen, key=promise, reverse=True):
            yield from self._visit(place, f"examine {place}")

    def _visit(self, place: str, deed: str, *, through: bool = False) -> Iterator[str]:
        """Go there, open it unless the deed works `through` a closed door, do the deed."""
        if place not in self._beliefs.here:
            yield f"go to {place}"
        elif place in self._beliefs.closed and not through:
            yield f"open {place}"
        else:
            yield deed

    def _targets(self, wish: Wish) -> list[str]:
        """Receptacles to bring the objects to; in a game for two all go to the fullest."""

        def rank(place: str) -> tuple[int, tuple[int, float]]:
            # A choice among equally full ones must not depend on where the player stands: it would
            # walk from one to the other for ever.
            brought = len(self._brought(wish, place)) if wish.kind == "two" else 0
            return -brought, (0, self._fortune(place)) if brought else self._effort(place)

        return sorted(self._places(wish.target), key=rank) or [""]

    def _brought(self, wish: Wish, place: str) -> set[str]:
        return {n for n in self._beliefs.contents.get(place, ()) if base(n) == wish.thing}

    def _places(self, kind: str) -> list[str]:
        found = [p for p in self._beliefs.places if base(p) == kind]
        return sorted(found, key=self._effort)

    def _effort(self, place: str) -> tuple[int, float]:
        """Steps until one can reach into a receptacle, as far as known; luck breaks ties."""
        beliefs = self._beliefs
        seen_open = place in beliefs.contents and place not in beliefs.closed
        shut = place in beliefs.closed or (base(place) in words().openable and not seen_open)
        return (place not in beliefs.here) + shut, self._fortune(place)

    def _fortune(self, place: str) -> float:
        if place not in self._luck:
            self._luck[place] = self._rng.random()
        return self._luck[place]

"""Common sense in lower-case words, as a player brings it along: what is where in most rooms.

The same tables that the generator draws from, under the words that texts use. Nothing here knows
a particular game.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .tables import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Types by the word that display names and task sentences use for them."""

    receptacles: frozenset[str]
    openable: frozenset[str]
    """Receptacle types that are often closed."""
    pickupable: frozenset[str]
    holds: Mapping[str, frozenset[str]]
    """Receptacle type -> object types that may be put there."""
    expected: Mapping[str, Mapping[tuple[str, str], float]]
    """Room -> (receptacle type, object type) -> mean number of such objects in one of them."""
    furniture: Mapping[str, Mapping[str, float]]
    """Room -> receptacle type -> share of such rooms that have it."""

    def room_of(self, kinds: Iterable[str]) -> str:
        """The sort of room that most likely has receptacles of these types."""
        seen = set(kinds)
        return max(
            sorted(self.furniture), key=lambda r: sum(self.furniture[r].get(k, -1.0) for k in seen)
        )


@lru_cache(maxsize=1)
def words() -> Words:
    """The shipped tables as words, made at the first call."""
    known = tables()
    return Words(
        receptacles=frozenset(t.lower() for types in known.instances.values() for t in types),
        openable=frozenset(t.lower() for t in known.openable),
        pickupable=frozenset(o.lower() for o, p in known.properties.items() if "pickupable" in p),
        holds={t.lower(): frozenset(map(str.lower, o)) for t, o in known.can_contain.items()},
        expected={
            room: {
                (place.lower(), thing.lower()): known.likelihood(room, place, thing)
                for place, things in placed.items()
                for thing in things
            }
            for room, placed in known.placed.items()
        },
        furniture={
            room: {
                kind.lower(): sum(kind in layout for layout in known.layouts[room])
                / len(known.layouts[room])
                for kind in known.instances[room]
            }
            for room in known.layouts
        },
    )

"""What the official games look like, in numbers: the tables that the generator draws from.

Comes in: `envs/data/alfworld_statistics.json`, counts over the 3,553 official train games. Goes
out: one frozen `Tables`, read once. It also knows where things usually are (`likelihood`), which
is common sense to a searcher and a distribution to the generator. No randomness here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["place", "look", "clean", "heat", "cool", "two"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FIXTURES = frozenset({"DeskLamp", "HousePlant", "Television"})

Counts: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Counts over the official train games; all names in CamelCase, as the games write them."""

    about: str
    """Origin and licence."""
    layouts: Mapping[str, tuple[Counts, ...]]
    """Room -> for each scene, how many receptacles of each type."""
    goals: Mapping[str, Mapping[str, Mapping[str, Counts]]]
    """Task kind -> room -> target receptacle (or lamp) type -> object type -> games."""
    copies: Mapping[str, Mapping[str, tuple[int, ...]]]
    """Room -> object type -> number of games that show 0, 1, 2, ... of it."""
    target_copies: Mapping[str, tuple[int, ...]]
    """Task kind -> number of games that start with 0, 1, 2, ... objects of the goal's type."""
    target_closed: Mapping[str, tuple[int, int]]
    """Task kind -> how many such objects start in something closed, of how many."""
    placed: Mapping[str, Mapping[str, Counts]]
    """Room -> receptacle type -> object type -> how many were found there."""
    instances: Mapping[str, Counts]
    """Room -> receptacle type -> how many receptacles `placed` was counted over."""
    can_contain: Mapping[str, tuple[str, ...]]
    """Receptacle type -> object types that may be put there."""
    openable: Mapping[str, tuple[int, int]]
    """Receptacle type -> how many can be opened, of how many."""
    properties: Mapping[str, tuple[str, ...]]
    """Object type -> predicates such as `pickupable`, `heatable`."""

    def likelihood(self, room: str, place: str, thing: str) -> float:
        """Mean number of objects of type `thing` in one receptacle of type `place`."""
        found = self.placed[room].get(place, {}).get(thing, 0)
        return found / self.instances[room][place] if found else 0.0

    def load(self, room: str, place: str) -> float:
        """Mean number of objects in one receptacle of type `place`."""
        return sum(self.placed[room][place].values()) / self.instances[room][place]

    def span(self, room: str) -> tuple[int, int]:
        """Fewest and most receptacles in a room of this sort."""
        totals = [sum(layout.values()) for layout in self.layouts[room]]
        return min(totals), max(totals)


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The shipped tables, read at the first call."""
    source = files("gigym.envs") / "data" / "alfworld_statistics.json"
    return Tables(**json.loads(source.read_text(encoding="utf-8")))

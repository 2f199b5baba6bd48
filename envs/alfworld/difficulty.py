"""How hard a generated game is: the knobs of the generator and their named settings.

A setting is named in the id of every game it made (`gen1/small/train/clean/17`), so its numbers are
part of the game's identity: a changed number is a changed `GENERATOR_VERSION`.
"""

import difflib
from dataclasses import dataclass

from ..errors import BadOption

GENERATOR_VERSION = "gen1"
"""First part of every generated id; the same id gives the same bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """The knobs of a generated game. The defaults follow the official train games."""

    receptacles: tuple[int, int] | None = None
    """Fewest and most receptacles; None: as many as the official room has."""
    closed: int = 0
    """At least so many receptacles are closed at the start."""
    objects: tuple[int, int] | None = None
    """Fewest and most objects placed; None: as many as the tables give."""
    copies: int = 7
    """Most objects of one type."""
    remix: float = 0.25
    """Share of receptacle types whose number is taken from another room of the same sort than the
    rest: 0 repeats the 108 official layouts, 1 draws each type by itself."""
    shared: float = 0.1
    """Share of receptacles that stand at the same location as the one before."""
    balanced: bool = False
    """Each aligned block of six seeds holds every task type; else types are drawn as often as the
    official train games have them."""


DIFFICULTIES: dict[str, Difficulty] = {
    "tiny": Difficulty(receptacles=(6, 8), closed=1, objects=(5, 9), copies=2, balanced=True),
    "small": Difficulty(receptacles=(8, 14), closed=3, objects=(10, 20), copies=2, balanced=True),
    "medium": Difficulty(receptacles=(14, 22), closed=4, objects=(16, 32), copies=3, balanced=True),
    "standard": Difficulty(),
}
"""`small` is what the quick start trains on, `standard` is close to the official train games."""


def difficulty_named(name: str) -> Difficulty:
    """The setting of this name. Raises `BadOption` with the nearest one."""
    found = DIFFICULTIES.get(name)
    if found is None:
        near = difflib.get_close_matches(name, DIFFICULTIES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BadOption(f"no difficulty {name!r}; {hint}it is one of: {', '.join(DIFFICULTIES)}")
    return found

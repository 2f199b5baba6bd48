"""What a player knows from the replies alone: `Beliefs`, brought up to date reply by reply.

Comes in: observation texts and admissible actions, nothing else. Goes out: where the player
stands, what it holds, what lay where when last seen, what it has cleaned, heated or cooled. A reply
that was missed leaves stale beliefs behind; the next reply about the same thing corrects them.
"""

import re
from collections.abc import Iterator

from ..types import Reply
from .words import words

_NAME = r"[a-z]+ \d+"
_LISTED = re.compile(rf"(?:On the|The) ({_NAME})(?: is open\. In it)?, you see ([^.]*)\.")
_TAKEN = re.compile(rf"You pick up the ({_NAME}) from the ({_NAME})\.")
_MOVED = re.compile(rf"You move the ({_NAME}) to the ({_NAME})\.")
_TREATED = re.compile(rf"You (clean|heat|cool) the ({_NAME}) using the {_NAME}\.")
_TOOK = re.compile(rf"take ({_NAME}) from ({_NAME})")
_WALK = re.compile(rf"go to ({_NAME})")
_UNDOES = {"heat": "cool", "cool": "heat"}
_NAMED = re.compile(_NAME)


def base(name: str) -> str:
    """The type word of a display name: `mug` for `mug 2`."""
    return name.rpartition(" ")[0]


class Beliefs:
    """One episode as its player remembers it; names are display names such as `mug 2`."""

    def __init__(self) -> None:
        self.hand: str | None = None
        """The object held."""
        self.here: tuple[str, ...] = ()
        """Receptacles at the player's location; none in the middle of the room."""
        self.places: dict[str, None] = {}
        """Every receptacle known, in the order in which it was heard of."""
        self.contents: dict[str, set[str]] = {}
        """What was in a receptacle when last seen; absent: it has never been looked into."""
        self.closed: set[str] = set()
        """Receptacles that were closed when last seen."""
        self.treated: set[tuple[str, str]] = set()
        """Objects with what holds of them: `clean`, `heat` or `cool` was done and not undone."""
        self.refused: set[tuple[str, str]] = set()
        """Object types with a receptacle that, open and at hand, would not take them."""

    def read(self, reply: Reply) -> None:
        """Take in one reply."""
        actions = reply.admissible_actions or ()
        self.places.update((found[1], None) for a in actions if (found := _WALK.fullmatch(a)))
        self._read_surroundings(actions)
        self._read_text(reply.observation)
        if self.hand is None:
            self._read_takes(actions)

    def holders(self, kind: str) -> Iterator[tuple[str, str]]:
        """Objects of a type with the receptacle they were last seen in, not the one held."""
        for place, names in self.contents.items():
            yield from ((n, place) for n in sorted(names) if base(n) == kind and n != self.hand)

    def forget(self) -> None:
        """Doubt every content that is not in sight, so that it is looked at again."""
        self.contents = {p: names for p, names in self.contents.items() if p in self.here}

    def _read_surroundings(self, actions: tuple[str, ...]) -> None:
        examined = [a.removeprefix("examine ") for a in actions if a.startswith("examine ")]
        self.here = tuple(n for n in examined if n in self.places or base(n) in words().receptacles)
        self.hand = next((n for n in examined if n not in self.here), None)
        self.places.update(dict.fromkeys(self.here))
        for place in self.here:
            if f"open {place}" in actions:
                self.closed.add(place)
                continue
            self.closed.discard(place)
            if self.hand is not None and f"move {self.hand} to {place}" not in actions:
                self.refused.add((base(self.hand), place))

    def _read_text(self, text: str) -> None:
        if found := _LISTED.search(text):
            self.contents[found[1]] = set(_NAMED.findall(found[2]))
        elif found := _TAKEN.match(text):
            self.contents.setdefault(found[2], set()).discard(found[1])
        elif found := _MOVED.match(text):
            self.contents.setdefault(found[2], set()).add(found[1])
        elif found := _TREATED.match(text):
            self.treated.discard((found[2], _UNDOES.get(found[1], "")))
            self.treated.add((found[2], found[1]))

    def _read_takes(self, actions: tuple[str, ...]) -> None:
        """With an empty hand all that can be taken here is all that lies open here."""
        for place in self.here:
            if place not in self.closed:
                held = self.contents.get(place, set())
                self.contents[place] = {n for n in held if base(n) not in words().pickupable}
        for found in filter(None, map(_TOOK.fullmatch, actions)):
            self.contents.setdefault(found[2], set()).add(found[1])

"""The table of twenty questions: objects, attributes, and which object has which.

Facts hold for the usual thing of that name; two objects differ in two attributes at least. The
table lies in `envs/data/twenty_questions.json`, attribute by attribute.
"""

import functools
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parents[1] / "data" / "twenty_questions.json"
_ASKED = re.compile(r"(?:is it )?(.*?)\s*\??\Z", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Which objects have which attributes."""

    objects: tuple[str, ...]
    holders: dict[str, frozenset[str]]
    """Attribute -> the objects that have it."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes, in the order of the table."""
        return tuple(self.holders)

    def holds(self, attribute: str, thing: str) -> bool:
        """Whether an object has an attribute."""
        return thing in self.holders[attribute]

    def keep(self, things: Sequence[str], attribute: str, has_it: bool) -> tuple[str, ...]:
        """Those of some objects that have, or have not, an attribute; in the same order."""
        held = self.holders[attribute]
        return tuple(thing for thing in things if (thing in held) == has_it)

    def attribute_named(self, text: str) -> str | None:
        """The attribute meant by `an animal`, `animal` or `is it an animal?`; None for others."""
        match = _ASKED.match(" ".join(text.lower().split()))
        return _by_short_name(self.attributes).get(_short(match[1])) if match else None

    def evenest(self, things: Collection[str], among: Collection[str]) -> str:
        """The attribute that comes nearest to halving some objects, the first of equals."""
        half = len(things) / 2
        held = self.holders
        return min(among, key=lambda name: abs(sum(thing in held[name] for thing in things) - half))


@functools.cache
def facts() -> Facts:
    """The table that is shipped."""
    table = json.loads(_FILE.read_text(encoding="utf-8"))
    return Facts(
        objects=tuple(table["objects"]),
        holders={name: frozenset(things) for name, things in table["attributes"].items()},
    )


def _short(name: str) -> str:
    return name.removeprefix("a ").removeprefix("an ")


@functools.cache
def _by_short_name(names: tuple[str, ...]) -> dict[str, str]:
    return {_short(name): name for name in names}

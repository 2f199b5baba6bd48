"""`State`: what actions change in a game, its canonical key and its frozen form."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import cast

from ..errors import BadOption
from ..types import JsonValue
from .facts import Facts, compact
from .game import ARITY, Game
from .pddl import Row

KEYED = (
    "opened",
    "inreceptacle",
    "objectatlocation",
    "isclean",
    "ishot",
    "iscool",
    "istoggled",
    "issliced",
)
"""The predicates of a state key, in its order."""


class State:
    """The facts of a game that change; all that is possible follows from them."""

    __slots__ = ("agent", "facts", "hold", "place", "removed")

    def __init__(self, game: Game) -> None:
        self.agent = game.agent
        self.place = next(iter(game.start["atlocation"]))[1]
        self.hold = next((row[1] for row in game.start["holds"]), None)
        self.facts: Mapping[str, Facts] = {name: game.start[name].copy() for name in KEYED}
        self.removed = Facts()
        """Pairs (object, receptacle) taken apart and not joined again; only `look` shows them."""

    def contents(self, receptacle: str) -> list[str]:
        """The objects in or on a receptacle, in ascending order."""
        return [thing for thing, where in self.facts["inreceptacle"] if where == receptacle]

    def is_open(self, receptacle: str) -> bool:
        """Whether it was opened; a receptacle without door never is."""
        return (receptacle,) in self.facts["opened"].rows

    def rows(self, predicate: str) -> Collection[Row]:
        """The facts of one predicate that hold, for the goal."""
        if predicate == "atlocation":
            return ((self.agent, self.place),)
        if predicate == "holds":
            return () if self.hold is None else ((self.agent, self.hold),)
        return self.facts[predicate].rows

    def key(self, game_id: str) -> str:
        """Hash of the game and of every fact that decides what is possible."""
        head = compact([game_id, self.place, self.hold])[:-1]
        facts = ",".join([self.facts[name].json() for name in KEYED])
        return hashlib.blake2b(f"{head},{facts}]".encode("ascii"), digest_size=16).hexdigest()

    def freeze(self) -> dict[str, JsonValue]:
        """The state as JSON data."""
        tables = {**self.facts, "removed": self.removed}
        frozen: dict[str, JsonValue] = {name: json.loads(t.json()) for name, t in tables.items()}
        return frozen | {"place": self.place, "hold": self.hold}

    def thaw(self, frozen: JsonValue, known: Collection[str]) -> None:
        """Take up a frozen state. Raises `BadOption` unless it speaks of `known` ids only."""
        try:
            tree = cast("dict[str, list[str | list[str]]]", frozen)
            place, hold = cast("str", tree["place"]), cast("str | None", tree["hold"])
            facts = {name: Facts(_rows(tree[name], ARITY[name])) for name in KEYED}
            removed = Facts(_rows(tree["removed"], 2))
            words = {word for table in (*facts.values(), removed) for row in table for word in row}
            unknown = (words | {place, place if hold is None else hold}) - set(known)
        except (TypeError, KeyError, ValueError) as error:
            raise BadOption(f"not a frozen state of ALFWorld: {error!r}") from None
        if unknown:
            raise BadOption(
                f"the frozen state names {sorted(map(str, unknown))[0]!r:.80}, "
                "which this game does not have"
            )
        self.place, self.hold, self.facts, self.removed = place, hold, facts, removed


def _rows(listed: Iterable[str | list[str]], arity: int) -> list[Row]:
    rows = [(row,) if isinstance(row, str) else tuple(row) for row in listed]
    if any(len(row) != arity for row in rows):
        raise ValueError(f"expected rows of {arity} ids")
    return rows

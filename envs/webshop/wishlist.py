"""Goals of a store: what was wished for each product is kept, goals are made of it on demand.

One instruction stands for as many goals as its product's options can be combined in, so a million
goals take the room of their instructions. Goals are numbered in file order; a stored permutation
gives their order, and its inverse finds a goal by its id.
"""

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, cast

from .goals import MOST_CHOICES, Instruction, human_goals, synthetic_goals
from .prices import price_of
from .types import Goal, Product

Origin = Literal["synthetic", "human", "given"]
"""How goals are made: of an instruction and options, of what people wrote, or as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """All that is wished for one product, in one of the lists of goals."""

    origin: Origin
    instructions: tuple[Instruction, ...] = ()
    goals: tuple[Goal, ...] = ()
    """For the origin `given`."""

    def made_for(self, product: Product) -> tuple[Goal, ...]:
        """The goals, without weights. Raises `CatalogueError` for too many combinations."""
        match self.origin:
            case "given":
                return self.goals
            case "human":
                return human_goals([product], {product.asin: self.instructions}, price_of)
            case "synthetic":
                wish = {product.asin: self.instructions[0]}
                return tuple(
                    replace(goal, weight=1.0) for goal in synthetic_goals([product], wish, price_of)
                )

    def count_for(self, product: Product) -> int:
        """How many goals that are, without making them; none where they are too many."""
        match self.origin:
            case "given":
                return len(self.goals)
            case "human":
                return sum(bool(wish.attributes) for wish in self.instructions)
            case "synthetic":
                choices = math.prod(len(values) for _, values in product.options)
                return choices if choices <= MOST_CHOICES and self.instructions[0].attributes else 0


def pack_wishes(wishes: Wishes) -> bytes:
    """Wishes as deflated JSON."""
    tree = {
        "origin": wishes.origin,
        "instructions": [_fields(row) for row in wishes.instructions],
        "goals": [_fields(row) for row in wishes.goals],
    }
    text = json.dumps(tree, separators=(",", ":")).encode("ascii")
    return zlib.compress(text, 6)


def read_wishes(packed: bytes) -> Wishes:
    """The wishes that `pack_wishes` wrote. Raises `zlib.error` or `ValueError`."""
    tree: dict[str, Any] = json.loads(zlib.decompress(packed))
    return Wishes(
        origin=tree["origin"],
        instructions=tuple(Instruction(**_tuples(row)) for row in tree["instructions"]),
        goals=tuple(Goal(**_tuples(row)) for row in tree["goals"]),
    )


def weight(goal: Goal, counts: Mapping[str, int]) -> float:
    """The mean of 1/count over the attributes: WebShop's weight of a synthetic goal."""
    return sum(1 / counts[attribute] for attribute in goal.attributes) / len(goal.attributes)


def _fields(row: Instruction | Goal) -> dict[str, Any]:
    """As `dataclasses.asdict`, without its copies."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(cast("list[str]", value)) if isinstance(value, list) else value
        for name, value in row.items()
    }

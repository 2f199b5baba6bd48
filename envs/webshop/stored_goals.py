"""The goals of a store: numbered, shuffled, found by id; made of their wishes when asked for."""

import zlib
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .database import Base, Lookup, key
from .errors import CatalogueError
from .goals import SPLITS, paper_splits
from .types import Goal, Product
from .wishlist import read_wishes, weight

_KEPT_PRODUCTS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """What goals are made of."""

    folder: Path
    base: Base
    product: Callable[[int], Product]


class StoredGoals:
    """One list of goals of a store."""

    def __init__(self, shelves: Shelves, name: str, count: int) -> None:
        self._base, self._shelves = shelves.base, shelves
        self._name, self._count = name, count
        self._group = lru_cache(_KEPT_PRODUCTS)(self._read)
        self._counts = Lookup(self._base, "counts", "attribute", "goals")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> Goal:
        if not 0 <= index < self._count:
            raise IndexError(f"no goal {index} among {self._count}")
        query = "select first from wishes where list = ? and first <= ? order by first desc"
        number = int(self._order[index])
        first = self._base.number(query, self._name, number)
        if first is None:
            raise self._base.damaged(f"it has no goal {number}")
        return self._group(first)[number - first]

    def index_of(self, goal_id: str) -> int:
        """Position of the goal with this id. Raises `KeyError`."""
        asin = key(goal_id.rpartition("/")[0])
        place = self._base.number("select place from products where asin = ?", asin)
        query = "select first from wishes where list = ? and place = ?"
        first = None if place is None else self._base.number(query, self._name, place)
        for number, goal in enumerate(() if first is None else self._group(first)):
            if goal.id == goal_id:
                return int(self._places[cast(int, first) + number])
        raise KeyError(goal_id)

    def split(self, name: str) -> Sequence[int]:
        """Positions of a split: `train`, `dev` or `test`. Raises `KeyError` for other names."""
        return self._splits[name]

    @cached_property
    def _splits(self) -> dict[str, Sequence[int]]:
        query = "select places from splits where list = ? and split = ?"
        held = {split: self._base.blob(query, self._name, split) for split in SPLITS}
        if not any(held.values()):
            return dict(paper_splits(self._count))
        return {split: array("I", places or b"") for split, places in held.items()}

    @cached_property
    def _order(self) -> NDArray[np.uint32]:
        return self._mapped("goals")

    @cached_property
    def _places(self) -> NDArray[np.uint32]:
        return self._mapped("places")

    def _mapped(self, what: str) -> NDArray[np.uint32]:
        path = self._shelves.folder / f"{self._name}-{what}.npy"
        try:
            return np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise CatalogueError(
                f"{path}: damaged store: {error}; convert the catalogue again"
            ) from None

    def _read(self, first: int) -> tuple[Goal, ...]:
        query = "select place, packed from wishes where list = ? and first = ?"
        row = self._base.row(query, self._name, first)
        if row is None:
            raise self._base.damaged(f"it has no wish {first}")
        try:
            wishes = read_wishes(cast(bytes, row[1]))
        except (zlib.error, ValueError) as error:
            raise self._base.damaged(f"wish {first}: {error}") from None
        goals = wishes.made_for(self._shelves.product(cast(int, row[0])))
        if wishes.origin != "synthetic":
            return goals
        # all goals of a product ask for the same attributes
        common = weight(goals[0], self._counts)
        return tuple(replace(goal, weight=common) for goal in goals)

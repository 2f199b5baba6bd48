"""`Store`: a catalogue on disk, opened read-only and shared by all processes of a machine.

Products are read one by one from an immutable SQLite file, the search index is mapped into memory:
the pages of both belong to the operating system, which keeps them once for all processes and drops
them when memory is short. Nothing of a store is executed when it is opened.
"""

import zlib
from array import array
from functools import cached_property, lru_cache
from pathlib import Path

from .database import DATABASE, Base, Lookup, key
from .errors import CatalogueError
from .manifest import LABEL, read_label
from .packing import Article, Packer, read_article
from .search import Ranker
from .stored_goals import Shelves, StoredGoals
from .types import Field, Product

_KEPT_PRODUCTS = 1_024


def open_store(folder: Path, *, human_goals: bool = False) -> "Store":
    """The catalogue of a folder, opened once per process. Raises `CatalogueError`."""
    try:
        stamp = (folder / LABEL).stat()
        changed = (stamp.st_mtime_ns, stamp.st_ino)
    except OSError:
        changed = (0, 0)
    return _opened(folder.resolve(), "human" if human_goals else "synthetic", changed)


@lru_cache(maxsize=4)
def _opened(folder: Path, goals: str, changed: tuple[int, int]) -> "Store":
    """A store that was replaced has another stamp and is opened again."""
    return Store(folder, goals)


class Store:
    """The products of a folder with one of its lists of goals, `synthetic` or `human`."""

    def __init__(self, folder: Path, goals: str) -> None:
        """Open a store. Raises `CatalogueError` for anything that is not a whole one."""
        self.folder = folder
        self.label = read_label(folder)
        self._base = Base(folder / DATABASE)
        dictionary = self._base.blob("select content from dictionary")
        if dictionary is None:
            raise self._base.damaged("it has no dictionary")
        self._packer = Packer(dictionary)
        self._article = lru_cache(_KEPT_PRODUCTS)(self._read)
        self.goals = StoredGoals(
            Shelves(folder=folder, base=self._base, product=self.product), goals, self._count(goals)
        )

    def __len__(self) -> int:
        return self.label.products

    def product(self, index: int) -> Product:
        """The product at this index, 0 to len - 1."""
        return self._article(index).product

    def index_of(self, asin: str) -> int:
        """Index of the product with this id. Raises `KeyError`."""
        place = self._base.number("select place from products where asin = ?", key(asin))
        if place is None:
            raise KeyError(asin)
        return place

    def search(self, keywords: str) -> tuple[int, ...]:
        """Ranking of at most 50 products, best first; those that match no word are left out."""
        return self._ranker.top(keywords)

    def where(self, field: Field, value: str) -> tuple[int, ...]:
        """All products whose category or query equals `value`, or that have the attribute."""
        query = "select places from listed where field = ? and value = ?"
        return tuple(array("I", self._base.blob(query, field, key(value)) or b""))

    def nouns(self, index: int) -> tuple[str, ...]:
        """Nouns of the title in lower case, repeats kept."""
        return self._article(index).nouns

    def price(self, index: int) -> float:
        """The price that counts: of a range one number, the same for ever."""
        return self._article(index).price

    @cached_property
    def _ranker(self) -> Ranker:
        try:
            return Ranker.load(self.folder, Lookup(self._base, "words", "stem", "column"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CatalogueError(
                f"{self.folder}: damaged store: its index cannot be opened, {error}; "
                "convert the catalogue again"
            ) from None

    def _count(self, goals: str) -> int:
        count = self.label.goals.get(goals, 0)
        if not count:
            held = ", ".join(f"{number} {name}" for name, number in self.label.goals.items())
            remedy = "leave it out" if goals == "human" else "open it with human_goals=True"
            option = "human_goals" if goals == "human" else "goals"
            raise CatalogueError(
                f"{self.folder}: no {goals} goals in this store, it holds {held}; "
                f"the option {option}: {remedy}"
            )
        return count

    def _read(self, index: int) -> Article:
        packed = self._base.blob("select packed from products where place = ?", index)
        if packed is None:
            raise IndexError(f"no product {index} in a store of {len(self)}")
        try:
            return read_article(self._packer.unpack(packed))
        except (zlib.error, ValueError) as error:
            raise self._base.damaged(f"product {index}: {error}") from None

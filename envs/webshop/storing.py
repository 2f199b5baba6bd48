"""Writes a store: products one after the other, in bounded memory, sealed at the end.

    shop.sqlite   packed products, their ids, the lists of `<a> <c> <q>`, words, wishes
    *.npy         the BM25 index (module postings) and the orders of the goals
    store.json    format and checksums (module manifest)

A store is written beside its place and renamed into it: what is there is whole. A run that was
broken off leaves only a folder `NAME.part`, which the next run clears.
"""

import random
import shutil
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..errors import BadOption
from .database import DATABASE, key
from .errors import CatalogueError
from .manifest import Label, write_label
from .nouns import title_nouns
from .packing import Article, Packer, article_text, dictionary_of
from .postings import Postings
from .prices import price_of
from .search import document
from .types import Product
from .wishlist import Wishes, pack_wishes

GOAL_LISTS = ("synthetic", "human")
SHUFFLE_SEED: int | str = 233
"""Seed of WebShop's order of goals."""
Progress = Callable[[int], None]
"""Told the number of products that are written."""

_SCHEMA = """
create table products (place integer primary key, asin blob unique, packed blob);
create table listed (field text, value blob, places blob, primary key (field, value)) without rowid;
create table words (stem blob primary key, column integer) without rowid;
create table wishes (list text, first integer, place integer, packed blob,
    primary key (list, first)) without rowid;
create table counts (attribute blob primary key, goals integer) without rowid;
create table splits (list text, split text, places blob, primary key (list, split)) without rowid;
create table dictionary (content blob);
create index wished on wishes (list, place);
"""
_FIRST = 64
"""Products that the packing dictionary is made of."""
_TOLD_EVERY = 1_000


@contextmanager
def fresh_folder(folder: Path) -> Generator[Path]:
    """A folder to write in, which becomes `folder` when all went well.

    Raises `BadOption` where something is in the way.
    """
    if folder.exists():
        raise BadOption(f"{folder} exists; give the path of a folder that does not, or remove it")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


class StoreWriter:
    """Takes products in order, with what is wished for each; `finish` seals the folder."""

    def __init__(self, folder: Path, progress: Progress | None = None) -> None:
        self._folder = folder
        self._progress = progress
        self._postings = Postings(folder)
        # rows go to a new file that is sealed afterwards: a crash leaves nothing to recover
        self._base = sqlite3.connect(folder / DATABASE, isolation_level=None)
        self._base.executescript(f"pragma journal_mode=off; pragma synchronous=off; {_SCHEMA}")
        self._base.execute("begin")
        self._waiting: list[tuple[Product, bytes]] = []
        self._packer: Packer | None = None
        self._listed: defaultdict[tuple[str, str], array[int]] = defaultdict(lambda: array("I"))
        self._counts: Counter[str] = Counter()
        self._wished: dict[str, int] = dict.fromkeys(GOAL_LISTS, 0)
        self._left_out = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, product: Product, wishes: Mapping[str, Wishes]) -> None:
        """The next product, and its wishes by list of goals."""
        self._postings.add(document(product))
        nouns, price = title_nouns(product.title), price_of(product)
        self._pack(product, article_text(Article(product=product, price=price, nouns=nouns)))
        self._listed["category", product.category].append(self._size)
        self._listed["query", product.query].append(self._size)
        for attribute in dict.fromkeys(product.attributes):
            self._listed["attribute", attribute].append(self._size)
        for name, wished in wishes.items():
            self._wish(name, product, wished)
        self._size += 1
        if self._progress is not None and self._size % _TOLD_EVERY == 0:
            self._progress(self._size)

    def finish(
        self,
        splits: Mapping[str, Mapping[str, Iterable[int]]] | None = None,
        seed: int | str = SHUFFLE_SEED,
    ) -> Label:
        """Write what is left. Raises `CatalogueError` for a store without products or goals."""
        if not self._size or not any(self._wished.values()):
            raise CatalogueError(
                f"nothing to sell: {self._size} products, {sum(self._wished.values())} goals; "
                "expected products and instructions for some of them"
            )
        self._start_packing()
        for name in self._wished:
            self._save_order(name, seed)
        for name, parts in (splits or {}).items():
            rows = [(name, split, array("I", places).tobytes()) for split, places in parts.items()]
            self._base.executemany("insert into splits values (?, ?, ?)", rows)
        self._tables()
        self._base.execute("commit")
        self._base.close()
        self._postings.finish()
        if self._progress is not None:
            self._progress(self._size)
        return write_label(self._folder, self._size, self._wished, self._left_out)

    def close(self) -> None:
        """Let go of the files; what was written is of no use without `finish`."""
        self._base.close()
        self._postings.close()

    def _pack(self, product: Product, text: bytes) -> None:
        """The first products wait until the dictionary that packs them is made."""
        if self._packer is not None:
            self._insert(self._size, product, self._packer.pack(text))
            return
        self._waiting.append((product, text))
        if len(self._waiting) == _FIRST:
            self._start_packing()

    def _start_packing(self) -> None:
        if self._packer is not None:
            return
        self._packer = Packer(dictionary_of([text for _, text in self._waiting]))
        self._base.execute("insert into dictionary values (?)", (self._packer.dictionary,))
        for place, (product, text) in enumerate(self._waiting):
            self._insert(place, product, self._packer.pack(text))
        self._waiting.clear()

    def _insert(self, place: int, product: Product, packed: bytes) -> None:
        try:
            row = (place, key(product.asin), packed)
            self._base.execute("insert into products values (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise CatalogueError(
                f"two products have the id {product.asin!r}, the second is number {place}; "
                "expected each id once"
            ) from None

    def _wish(self, name: str, product: Product, wished: Wishes) -> None:
        count = wished.count_for(product)
        if not count:
            self._left_out += wished.origin == "synthetic"
            return
        row = (name, self._wished[name], self._size, pack_wishes(wished))
        self._base.execute("insert into wishes values (?, ?, ?, ?)", row)
        self._wished[name] += count
        if wished.origin == "synthetic":
            for attribute in wished.instructions[0].attributes:
                self._counts[attribute] += count

    def order(self, name: str, seed: int | str = SHUFFLE_SEED) -> "array[int]":
        """Numbers of the goals of a list, so far as they are added, in shuffled order."""
        order = array("I", range(self._wished[name]))
        random.Random(seed).shuffle(order)
        return order

    def _save_order(self, name: str, seed: int | str) -> None:
        """The order of a list and its inverse."""
        numbers = np.asarray(self.order(name, seed), np.uint32)
        places = np.empty_like(numbers)
        places[numbers] = np.arange(len(numbers), dtype=np.uint32)
        np.save(self._folder / f"{name}-goals.npy", numbers)
        np.save(self._folder / f"{name}-places.npy", places)

    def _tables(self) -> None:
        listed = ((f, key(value), p.tobytes()) for (f, value), p in sorted(self._listed.items()))
        self._base.executemany("insert into listed values (?, ?, ?)", listed)
        words = ((key(stem), column) for stem, column in sorted(self._postings.vocabulary.items()))
        self._base.executemany("insert into words values (?, ?)", words)
        counts = ((key(attribute), count) for attribute, count in sorted(self._counts.items()))
        self._base.executemany("insert into counts values (?, ?)", counts)

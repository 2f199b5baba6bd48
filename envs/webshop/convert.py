"""From WebShop's JSON files, or from the synthetic shop, to a store.

Files are read as streams, so that the catalogue of a million products needs no more memory than
its vocabulary and its ids. Raw and processed products are taken alike, packed or not. A conversion
that is broken off leaves nothing behind that could be taken for a store; run it again.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import cast

from .database import key
from .errors import CatalogueError
from .files import checked, read_human
from .goals import Instruction
from .manifest import Label
from .rows import RawRow, ShopRow, SyntheticRow
from .storing import Progress, StoreWriter, fresh_folder
from .streaming import elements, pairs
from .synthetic import DEFAULT_SIZE, VERSION, families, shop_splits
from .types import Product
from .wishes import family_goals
from .wishlist import Origin, Wishes

_ASIDE = "instructions.tmp"

Shopped = tuple[Product, dict[str, Wishes]]
"""A product and what is wished for it, by list of goals."""


def convert(
    products: Path,
    instructions: Path | None,
    human_goals: Path | None,
    out_dir: Path,
    progress: Progress | None = None,
) -> Label:
    """Write the store of a catalogue into a new folder; `progress` is told numbers of products.

    Raises `CatalogueError` for files that are not as expected, `BadOption` when `out_dir` exists.
    """
    with fresh_folder(Path(out_dir)) as folder:
        human = read_human(Path(human_goals)) if human_goals is not None else {}
        with (
            closing(_Aside(folder / _ASIDE)) as about,
            closing(StoreWriter(folder, progress)) as writer,
        ):
            if instructions is not None:
                about.fill(Path(instructions))
            for product, wishes in _shopped(Path(products), about, human):
                writer.add(product, wishes)
            about.remove()
            return writer.finish()


def write_synthetic(
    out_dir: Path, seed: int = 0, size: int = DEFAULT_SIZE, progress: Progress | None = None
) -> Label:
    """Write a synthetic shop of any size into a new folder: the same shop as in memory."""
    with fresh_folder(Path(out_dir)) as folder, closing(StoreWriter(folder, progress)) as writer:
        tag = f"{VERSION}:{seed}"
        names: list[str] = []
        for family in families(seed, size):
            goals = tuple(family_goals(family.kind, family.products, tag))
            names += [goal.id for goal in goals]
            for product in family.products:
                own = tuple(goal for goal in goals if goal.asin == product.asin)
                writer.add(product, {"synthetic": Wishes(origin="given", goals=own)})
        order_seed = f"{tag}:order"
        splits = shop_splits(seed, [names[i] for i in writer.order("synthetic", order_seed)])
        return writer.finish({"synthetic": splits}, order_seed)


class _Aside:
    """Instructions by product id, kept in a file while products are read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._base = sqlite3.connect(path, isolation_level=None)
        self._base.executescript("pragma journal_mode=off; pragma synchronous=off; begin;")
        self._base.execute("create table rows (asin blob primary key, row text) without rowid")

    def fill(self, source: Path) -> None:
        """Take the rows of a file. Raises `CatalogueError`."""
        self._base.executemany("replace into rows values (?, ?)", _instructions(source))

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def find(self, asin: str) -> SyntheticRow | None:
        """What is known about a product."""
        found = self._base.execute("select row from rows where asin = ?", (key(asin),)).fetchone()
        return None if found is None else SyntheticRow.model_validate_json(found[0])

    def remove(self) -> None:
        """Drop the file, which is no part of the store."""
        self._base.close()
        self._path.unlink()


def _instructions(source: Path) -> Iterator[tuple[bytes, str]]:
    for asin, tree in pairs(source):
        row = checked(source, {asin: tree}, dict[str, SyntheticRow], "attributes and instruction")
        yield key(asin), row[asin].model_dump_json()


def _shopped(
    path: Path, about: _Aside, human: Mapping[str, tuple[Instruction, ...]]
) -> Iterator[Shopped]:
    known: set[str] = set()
    for number, tree in enumerate(elements(path)):
        row = _row(path, number, tree)
        name = row.asin.lower()
        if isinstance(row, RawRow) and (name in known or not row.kept()):
            continue
        if name in known:
            raise CatalogueError(
                f"{path}: product number {number} has the asin {row.asin!r} of an earlier one; "
                "expected each id once, remove one of them"
            )
        known.add(name)
        yield _with_wishes(row, about.find(row.asin), human.get(row.asin))


def _row(path: Path, number: int, tree: object) -> ShopRow | RawRow:
    held = {number: tree}
    if isinstance(tree, dict) and "Title" in cast("dict[str, object]", tree):
        return checked(path, held, dict[int, ShopRow], "processed products")[number]
    return checked(path, held, dict[int, RawRow], "raw products")[number]


def _with_wishes(
    row: ShopRow | RawRow, known: SyntheticRow | None, human: tuple[Instruction, ...] | None
) -> Shopped:
    wish = known.wish() if known is not None else None
    written = human or ()
    if isinstance(row, ShopRow):
        wish = wish or row.wish()
        written = human if human is not None else tuple(each.wish() for each in row.instructions)
        product = row.product()
    else:
        product = row.product(tuple(known.attributes) if known is not None else ())
    lists: dict[str, tuple[Origin, tuple[Instruction, ...]]] = {
        "synthetic": ("synthetic", () if wish is None else (wish,)),
        "human": ("human", written),
    }
    return product, {
        name: Wishes(origin=origin, instructions=instructions)
        for name, (origin, instructions) in lists.items()
        if instructions
    }

"""Reads WebShop's JSON files: products, processed or raw, and the instructions about them.

Files may be packed (`.xz`, `.gz`). What is not as expected raises `CatalogueError` with the path,
the place in the file, what was expected and what was found. Pydantic checks the rows.
"""

import errno
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from .errors import CatalogueError
from .goals import Instruction
from .rows import HumanRow, RawRow, ShopRow, SyntheticRow
from .types import Product

MAX_BYTES = 512 * 2**20
"""Largest file, unpacked; what is larger belongs in a store."""
_OPENERS = cast("Mapping[str, Callable[[Path], BinaryIO]]", {".xz": lzma.open, ".gz": gzip.open})
_SHOWN = 60
_Checked = TypeVar("_Checked")


class ShopFile:
    """A file of products, with the instructions that processed products carry themselves."""

    def __init__(self, path: Path) -> None:
        """Read and check all rows. Raises `CatalogueError`."""
        self.path = path
        rows = checked(path, read_json(path), list[dict[str, object]], "a list of products")
        if not rows:
            raise CatalogueError(f"{path}: the list of products is empty; expected at least one")
        self.rows = _processed(path, rows) if "Title" in rows[0] else _raw(path, rows)

    def products(self, about: Mapping[str, SyntheticRow]) -> tuple[Product, ...]:
        """The products in file order; raw ones take their attributes from `about`."""
        return tuple(
            row.product()
            if isinstance(row, ShopRow)
            else row.product(tuple(about[row.asin].attributes) if row.asin in about else ())
            for row in self.rows
        )

    def wishes(self) -> dict[str, Instruction]:
        """Synthetic instructions by product id."""
        found = ((row.asin, row.wish()) for row in self.rows if isinstance(row, ShopRow))
        return {asin: wish for asin, wish in found if wish is not None}

    def human_wishes(self) -> dict[str, tuple[Instruction, ...]]:
        """Human instructions by product id."""
        rows = (row for row in self.rows if isinstance(row, ShopRow))
        return {row.asin: tuple(wish.wish() for wish in row.instructions) for row in rows}


def read_synthetic(path: Path) -> dict[str, SyntheticRow]:
    """The rows of a file such as `items_ins_v2.json`, by product id."""
    expected = "an object of product ids with their attributes and instruction"
    return checked(path, read_json(path), dict[str, SyntheticRow], expected)


def read_human(path: Path) -> dict[str, tuple[Instruction, ...]]:
    """The wishes of a file such as `items_human_ins.json`, by product id."""
    expected = "an object of product ids with their lists of instructions"
    rows = checked(path, read_json(path), dict[str, list[HumanRow]], expected)
    return {asin: tuple(row.wish() for row in wishes) for asin, wishes in rows.items()}


def read_json(path: Path) -> object:
    """The tree of a JSON file, unpacked where its name says so."""
    try:
        with open_json(path) as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CatalogueError(f"{path}: {reason}; expected a JSON file of WebShop") from None
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        raise CatalogueError(f"{path}: cannot be unpacked, {error}; fetch it again") from None
    if len(content) > MAX_BYTES:
        raise CatalogueError(
            f"{path}: larger than {MAX_BYTES >> 20} MiB unpacked; "
            "convert it to a store and give the store's folder"
        )
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise CatalogueError(
            f"{path}: not whole JSON, {error}; expected a JSON file of WebShop, fetch it again"
        ) from None


def open_json(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked where its name says so. Raises `OSError`, also for a pipe."""
    if path.exists() and not path.is_file():
        # opening a pipe waits for a writer, reading a device may never end
        raise OSError(errno.EINVAL, "not a file")
    return _OPENERS.get(path.suffix, _open_plain)(path)


def _open_plain(path: Path) -> BinaryIO:
    return path.open("rb")


def _processed(path: Path, rows: list[dict[str, object]]) -> tuple[ShopRow | RawRow, ...]:
    """Rows of processed products, each id once."""
    known: dict[str, int] = {}
    found = checked(path, rows, list[ShopRow], "processed products")
    for number, row in enumerate(found):
        first = known.setdefault(row.asin.lower(), number)
        if first != number:
            raise CatalogueError(
                f"{path}: products number {first} and {number} have the same asin {row.asin!r}; "
                "expected each id once, remove one of them"
            )
    return tuple(found)


def _raw(path: Path, rows: list[dict[str, object]]) -> tuple[ShopRow | RawRow, ...]:
    """Rows of raw products that WebShop takes; of equal ids the first."""
    found = checked(path, rows, list[RawRow], "raw products")
    kept = {row.asin.lower(): row for row in reversed(found) if row.kept()}
    return tuple(row for row in found if kept.get(row.asin.lower()) is row)


def checked(path: Path, tree: object, kind: type[_Checked], expected: str) -> _Checked:
    """The tree as rows. Raises `CatalogueError`, which tells the first fault with its place."""
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
    place = ", ".join(_step(step) for step in fault["loc"]) or "the whole file"
    raise CatalogueError(
        f"{path}: {place}: {fault['msg']}, got {fault['input']!r:.{_SHOWN}}; expected {expected}"
    )


def _step(step: int | str) -> str:
    return f"number {step}" if isinstance(step, int) else repr(step)

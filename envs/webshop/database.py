"""The database of a store, opened to be read by many processes and threads at once."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from .errors import CatalogueError

DATABASE = "shop.sqlite"
_MAPPED = 1 << 40
"""Bytes that may be mapped into memory; SQLite takes what it was built for."""

Cell = int | str | bytes


def key(text: str) -> bytes:
    """A text as a key of the database, which must not care about broken Unicode."""
    return text.encode("utf-8", "surrogatepass")


class Base:
    """A connection per thread and process; none is ever written to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def row(self, query: str, *values: Cell) -> tuple[Cell, ...] | None:
        """The first row of an answer. Raises `CatalogueError` for a damaged file."""
        try:
            return self._connection().execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise self.damaged(str(error)) from None

    def number(self, query: str, *values: Cell) -> int | None:
        """The first cell of an answer, a number."""
        row = self.row(query, *values)
        return None if row is None else cast(int, row[0])

    def blob(self, query: str, *values: Cell) -> bytes | None:
        """The first cell of an answer, bytes."""
        row = self.row(query, *values)
        return None if row is None else cast(bytes, row[0])

    def damaged(self, fault: str) -> CatalogueError:
        """The error for content that is not what was written."""
        return CatalogueError(f"{self.path}: damaged store: {fault}; convert the catalogue again")

    def _connection(self) -> sqlite3.Connection:
        # a connection must not be carried through a fork
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != os.getpid():
            address = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            opened = sqlite3.connect(address, uri=True, isolation_level=None)
            opened.execute(f"pragma mmap_size={_MAPPED}")
            held = (os.getpid(), opened)
            self._local.held = held
        return held[1]


class Lookup(Mapping[str, int]):
    """A table of names and numbers that is looked up, never listed."""

    def __init__(self, base: Base, table: str, name: str, number: str) -> None:
        self._base = base
        self._query = f"select {number} from {table} where {name} = ?"
        self._count = f"select count(*) from {table}"

    def __getitem__(self, name: str, /) -> int:
        found = self._base.number(self._query, key(name))
        if found is None:
            raise KeyError(name)
        return found

    def __len__(self) -> int:
        return self._base.number(self._count) or 0

    def __iter__(self) -> Iterator[str]:
        raise TypeError("the names of a stored table are looked up, not listed")

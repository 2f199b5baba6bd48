"""`Facts`: the rows of one predicate that actions change, with their order and JSON text at hand.

A state key hashes all facts of a game after every action that changes one, so the sorted JSON is
kept up to date row by row instead of being made anew.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Self

from .pddl import Row

compact = json.JSONEncoder(separators=(",", ":")).encode
"""Compact ASCII JSON; `json.dumps` would make an encoder for every call."""


class Facts:
    """A set of rows of ids; a row of one id stands for that id in JSON, a longer one is a list."""

    __slots__ = ("_json", "_order", "_texts", "rows")

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = set(rows)
        self._order = sorted(self.rows)
        self._texts = [_text(row) for row in self._order]
        self._json: str | None = None

    def __iter__(self) -> Iterator[Row]:
        """The rows in ascending order."""
        return iter(self._order)

    def copy(self) -> Self:
        """An independent set of the same rows."""
        twin = type(self).__new__(type(self))
        twin.rows, twin._order, twin._texts = self.rows.copy(), self._order[:], self._texts[:]
        twin._json = self._json
        return twin

    def add(self, row: Row) -> None:
        """Make the fact true."""
        if row not in self.rows:
            self.rows.add(row)
            at = bisect_left(self._order, row)
            self._order.insert(at, row)
            self._texts.insert(at, _text(row))
            self._json = None

    def discard(self, row: Row) -> None:
        """Make the fact false."""
        if row in self.rows:
            self.rows.remove(row)
            at = bisect_left(self._order, row)
            del self._order[at], self._texts[at]
            self._json = None

    def json(self) -> str:
        """The rows in ascending order as a JSON array."""
        if self._json is None:
            self._json = f"[{','.join(self._texts)}]"
        return self._json


def _text(row: Row) -> str:
    return compact(row[0] if len(row) == 1 else row)

"""Reads JSON files of any size value by value.

The values of the outermost list or object are decoded one after the other, each by the json module
as a whole, so that memory is bounded by the largest of them. What is not JSON, or holds a value
beyond all measure, raises `CatalogueError` with the path.
"""

import io
import json
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

from .errors import CatalogueError
from .files import open_json

LARGEST_VALUE = 32 << 20
"""Characters of one product; WebShop's largest is far below a mebibyte."""
_READ = 1 << 20
_BLANK = " \t\n\r"
_DELIMITERS = frozenset(",:]}" + _BLANK)


def elements(path: Path) -> Iterator[object]:
    """The elements of the list that a file holds."""
    return (value for _, value in _members(path, "[]", "a list of products"))


def pairs(path: Path) -> Iterator[tuple[str, object]]:
    """The names and values of the object that a file holds."""
    return _members(path, "{}", "an object of product ids")


def _members(path: Path, brackets: str, expected: str) -> Iterator[tuple[str, object]]:
    try:
        with open_json(path) as stream, io.TextIOWrapper(stream, "utf-8") as text:
            yield from _Window(text).members(brackets)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CatalogueError(f"{path}: {reason}; expected a JSON file of WebShop") from None
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        raise CatalogueError(f"{path}: cannot be unpacked, {error}; fetch it again") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, CatalogueError):
            raise
        raise CatalogueError(
            f"{path}: not whole JSON, {error}; expected {expected}, fetch it again"
        ) from None


class _Window:
    """The part of a text that is decoded next."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text, self._at, self._ended = "", 0, False
        self._decoder = json.JSONDecoder(parse_constant=_refuse)

    def members(self, brackets: str) -> Iterator[tuple[str, object]]:
        """Names, empty in a list, and values. Raises `ValueError` or `RecursionError`."""
        opening, closing = brackets
        self._take(opening)
        if self._peek() != closing:
            yield self._member(named=opening == "{")
        while self._peek() != closing:
            self._take(",")
            yield self._member(named=opening == "{")
        self._take(closing)
        if self._peek():
            raise ValueError(f"{self._peek()!r} follows its end")

    def _member(self, *, named: bool) -> tuple[str, object]:
        if not named:
            return "", self._value()
        name = self._value()
        if not isinstance(name, str):
            raise ValueError(f"expected a name, got {name!r:.40}")
        self._take(":")
        return name, self._value()

    def _value(self) -> object:
        """The next value; one that seems broken may only need more text."""
        self._peek()
        while True:
            try:
                value, end = cast(
                    "tuple[object, int]", self._decoder.raw_decode(self._text, self._at)
                )
                # a number may go on after the text that is here: 1, 1e, 1e5
                if self._ended or self._text[end : end + 1] in _DELIMITERS:
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._ended:
                    raise ValueError(f"{error.msg} near its end") from None
            if len(self._text) - self._at > LARGEST_VALUE:
                raise ValueError(f"broken, or a value of more than {LARGEST_VALUE} characters")
            self._more()

    def _take(self, wanted: str) -> None:
        found = self._peek()
        if found != wanted:
            raise ValueError(
                f"expected {wanted!r}, got {found!r}" if found else "it ends too early"
            )
        self._at += 1

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more()

    def _more(self) -> None:
        read = self._stream.read(_READ)
        self._ended = not read
        self._text, self._at = self._text[self._at :] + read, 0


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number")

"""Columns as users hand them in, turned into arrays of one length, with errors that name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import BadColumns
from .keys import Key, intern
from .types import BoolRows, FloatRows, IntRows

Column: TypeAlias = Sequence[object] | NDArray[Any]
"""One value per row."""
LevelColumns: TypeAlias = Column | Sequence[Column] | Mapping[str, Column]
"""One column of keys, or several levels of them, finest first, named or not."""

END = -1
"""Successor id of a row after which no known state follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One way of naming states: ids per row, the successors' ids, and the keys behind them."""

    name: str
    ids: IntRows
    """Key of the state each action was taken in."""
    next_ids: IntRows
    """Key of the state each action led to, -1 where none is known or the task ended."""
    keys: tuple[Key, ...]
    """The user's key of each id."""


def cells(name: str, column: Column, num_rows: int | None = None) -> list[object]:
    """The column as a list of Python values, its length checked against `num_rows`."""
    if isinstance(column, np.ndarray):
        if column.ndim != 1:
            raise BadColumns(f"column {name!r} must have one axis, got shape {column.shape}")
        items = cast("list[object]", column.tolist())
    elif isinstance(column, str | bytes):
        raise BadColumns(f"column {name!r} must be a sequence with one value per row, got one text")
    else:
        items = list(column)
    if num_rows is not None and len(items) != num_rows:
        raise BadColumns(
            f"column {name!r} has {len(items)} values, but 'task' has {num_rows}; "
            f"all columns need one value per row"
        )
    return items


def floats(name: str, column: ArrayLike, num_rows: int) -> FloatRows:
    """The column as float64; what is not a number is refused, NaN is left to the caller."""
    return _numbers(name, column, num_rows, np.dtype(np.float64), "numbers")


def integers(name: str, column: ArrayLike, num_rows: int) -> IntRows:
    """The column as int64; fractions and texts are refused."""
    return _numbers(name, column, num_rows, np.dtype(np.int64), "whole numbers")


def flags(name: str, column: ArrayLike, num_rows: int) -> BoolRows:
    """The column as booleans; besides them only 0 and 1 are accepted."""
    return _numbers(name, column, num_rows, np.dtype(np.bool_), "booleans (or 0 and 1)")


def _numbers(
    name: str, column: ArrayLike, num_rows: int, dtype: np.dtype[Any], kind: str
) -> NDArray[Any]:
    raw = np.asarray(column)
    if raw.shape != (num_rows,):
        raise BadColumns(
            f"column {name!r} has shape {raw.shape}, expected ({num_rows},) as for 'task'"
        )
    numeric = raw.dtype.kind in "biuf" or num_rows == 0
    values = raw.astype(dtype) if numeric and (dtype.kind == "f" or _finite(raw)) else None
    if values is None or (dtype.kind != "f" and not np.array_equal(values, raw)):
        odd = next((v for v in raw.tolist() if not _is(v, dtype)), raw.dtype)
        raise BadColumns(f"column {name!r} must hold {kind}, got {odd!r}")
    return values


def _finite(raw: NDArray[Any]) -> bool:
    return bool(np.isfinite(raw).all())


def _is(value: object, dtype: np.dtype[Any]) -> bool:
    try:
        return bool(dtype.type(cast("Any", value)) == value)
    except (TypeError, ValueError, OverflowError):
        return False


def named_levels(columns: LevelColumns) -> dict[str, Column]:
    """Level columns by name, finest first.

    A plain column is the level `anchor`; of several unnamed ones the first is `anchor` and the
    next are `anchor_1`, `anchor_2`, towards coarse.
    """
    if isinstance(columns, Mapping):
        named = dict(columns)
        if not named:
            raise BadColumns("anchor must hold at least one level, got an empty mapping")
        return named
    if not hasattr(columns, "__getitem__"):
        raise BadColumns(
            f"anchor must be a sequence with one value per row, or several of them, "
            f"got a {type(columns).__name__}"
        )
    if not isinstance(columns, np.ndarray) and _is_nested(columns):
        stacked = cast("Sequence[Column]", columns)
        names = ["anchor", *(f"anchor_{i}" for i in range(1, len(stacked)))]
        return dict(zip(names, stacked, strict=True))
    return {"anchor": cast("Column", columns)}


def _is_nested(columns: Sequence[object]) -> bool:
    if isinstance(columns, str | bytes) or len(columns) == 0:
        return False
    return all(isinstance(item, list | tuple | np.ndarray) for item in columns)


def level_of(name: str, here: Column, after: Column | None, num_rows: int) -> Level:
    """Intern one level. `after` holds the successors, None where unknown."""
    keys = cells(name, here, num_rows)
    if after is None:
        ids, vocabulary = intern(keys)
        return Level(name=name, ids=ids, next_ids=np.full(num_rows, END), keys=vocabulary)
    follow = cells(f"next_{name}", after, num_rows)
    known = np.fromiter((key is not None for key in follow), np.bool_, count=num_rows)
    ids, vocabulary = intern([*keys, *(key for key in follow if key is not None)])
    next_ids = np.full(num_rows, END)
    next_ids[known] = ids[num_rows:]
    return Level(name=name, ids=ids[:num_rows], next_ids=next_ids, keys=vocabulary)

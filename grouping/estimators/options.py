"""Options of estimators: records whose annotations say what values are accepted.

A field of an options record is an option of its estimator; a trailing underscore is dropped from
the name (`lambda_` is the option `lambda`). `options_from` builds the record from keywords and
refuses unknown names and values, with the nearest name where there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeAlias,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from ..errors import BadEstimatorOption, near


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number, both included."""

    low: float
    high: float = float("inf")


Share: TypeAlias = Annotated[float, Between(0.0, 1.0)]
NotNegative: TypeAlias = Annotated[float, Between(0.0)]
Count: TypeAlias = Annotated[int, Between(0)]
"""A whole number from 0."""


def option_names(record: type[object]) -> tuple[str, ...]:
    """Names of the options that a record describes."""
    return tuple(_fields(record))


def options_from(estimator: str, record: type[object], given: Mapping[str, object]) -> object:
    """The record with the given values. Raises `BadEstimatorOption`."""
    known = _fields(record)
    hints = get_type_hints(record, include_extras=True)
    values: dict[str, object] = {}
    for name, value in given.items():
        key = name.rstrip("_")
        if key not in known:
            hint = near(key, known)
            raise BadEstimatorOption(
                f"estimator {estimator!r} has no option {name!r}{hint} It takes: {', '.join(known)}"
            )
        try:
            values[known[key]] = _accepted(hints[known[key]], value)
        except ValueError as refusal:
            raise BadEstimatorOption(
                f"option {key!r} of estimator {estimator!r} must be {refusal}, got {value!r}"
            ) from None
    return record(**values)


def _fields(record: type[object]) -> dict[str, str]:
    return {field.name.rstrip("_"): field.name for field in fields(cast("Any", record))}


def _accepted(hint: Any, value: object) -> object:  # noqa: ANN401
    """The value as the hint wants it; raises ValueError whose text says what was expected."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _within(_accepted(parts[0], value), parts[1])
    if origin in (Union, UnionType):
        return _one_of(parts, value)
    if origin is Literal:
        if not isinstance(value, str) or value not in parts:
            raise ValueError(f"one of {', '.join(map(repr, parts))}")
        return value
    if origin is tuple:
        return _texts(value)
    return _plain(hint, value)


def _one_of(hints: Sequence[Any], value: object) -> object:
    expected: list[str] = []
    for hint in hints:
        try:
            return _accepted(hint, value)
        except ValueError as refusal:
            expected.append(str(refusal))
    raise ValueError(" or ".join(expected))


def _within(value: object, bounds: Between) -> object:
    if not bounds.low <= cast("float", value) <= bounds.high:
        top = f" and at most {bounds.high:g}" if isfinite(bounds.high) else ""
        raise ValueError(f"at least {bounds.low:g}{top}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError("a sequence of names")
    items = tuple(cast("Sequence[object]", value))
    if not all(isinstance(item, str) for item in items):
        raise ValueError("a sequence of names")
    return cast("tuple[str, ...]", items)


def _plain(kind: type[object], value: object) -> object:
    if kind is NoneType and value is None:
        return None
    if type(value) in (bool, np.bool_):
        if kind is bool:
            return value is True or value == np.True_
    elif isinstance(value, Real):
        if kind is float and isfinite(value):
            return float(value)
        if kind is int and isinstance(value, Integral):
            return int(value)
    if kind is str and isinstance(value, str):
        return value
    raise ValueError(_EXPECTED.get(kind, "a text"))


_EXPECTED: dict[type[object], str] = {
    NoneType: "None",
    bool: "a boolean",
    float: "a finite number",
    int: "a whole number",
}

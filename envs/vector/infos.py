"""Infos of single environments in Gymnasium's vector form.

Each key holds one array over the environments, beside a mask `_key` of those that have it. An
array has a number type only if every value fits it: Gymnasium's own helper takes the type of the
first value and cuts the others to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Infos: TypeAlias = dict[str, Any]
_INT64 = range(-(2**63), 2**63)
_WHOLE = frozenset({"final_obs"})
"""Keys whose values Gymnasium keeps as they are."""


def vector_infos(infos_E: Sequence[Mapping[str, Any] | None]) -> Infos:
    """One info per environment, None where it has none, as arrays over environments."""
    keys = dict.fromkeys(key for info in infos_E if info for key in info)
    joined: Infos = {}
    for key in keys:
        has_E = np.array([info is not None and key in info for info in infos_E], dtype=np.bool_)
        values = [info[key] for info in infos_E if info is not None and key in info]
        if key not in _WHOLE and all(isinstance(value, Mapping) for value in values):
            joined[key] = vector_infos([cast("Any", (info or {}).get(key)) for info in infos_E])
        else:
            joined[key] = _filled(values, has_E)
        joined[f"_{key}"] = has_E
    return joined


def _filled(values: Sequence[Any], has_E: NDArray[np.bool_]) -> NDArray[Any]:
    kind = _kind(values)
    column: NDArray[Any] = (
        np.full(len(has_E), None, dtype=object) if kind is object else np.zeros(len(has_E), kind)
    )
    for place, value in zip(np.flatnonzero(has_E), values, strict=True):
        column[place] = value
    return column


def _kind(values: Sequence[Any]) -> Any:  # noqa: ANN401
    kinds: set[type] = {type(value) for value in values}
    if kinds == {bool}:
        return np.bool_
    if kinds == {int} and all(value in _INT64 for value in values):
        return np.int64
    return np.float64 if kinds == {float} else object

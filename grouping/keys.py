"""Keys: what names a state or an action, told apart by type and content.

`structured_key` turns any observation into a string key: equal content gives equal keys in every
process, and `1`, `1.0`, `True` and `"1"` differ. `intern` replaces a column of keys by dense ids.
`reference_key` reproduces how verl-agent's dictionary tells observations apart, for comparison.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .errors import BadKey
from .types import IntRows

Key: TypeAlias = str | int | float | bytes
"""What a column of keys may hold; numpy scalars count as their Python type."""

_SCALARS = (str, int, float, bytes)


def structured_key(value: object) -> str:
    """A string key for any structured value: 32 hex digits of its typed encoding."""
    return hashlib.blake2b(key_bytes(value), digest_size=16).hexdigest()


def key_bytes(value: object) -> bytes:
    """The typed, unambiguous encoding of a value: tag, length, content; dict order is ignored."""
    if isinstance(value, np.generic):
        value = _python_scalar(cast("np.generic[Any]", value))
    for kind, tag, content in _ENCODERS:
        if isinstance(value, kind):
            body = content(value)
            return b"%b%d:%b" % (tag, len(body), body)
    raise BadKey(
        f"a {type(value).__name__} cannot be part of a key: use None, bool, int, float, str, "
        f"bytes, arrays, and lists, tuples or mappings of them"
    )


def reference_key(value: object) -> object:
    """The dictionary key that verl-agent derives from an observation.

    Python equality after flattening: `1 == 1.0 == True`, arrays lose their shape. Raises `BadKey`
    for None, which it refuses.
    """
    if value is None:
        raise BadKey("None names no observation in verl-agent")
    if isinstance(value, np.ndarray):
        return tuple(cast("NDArray[Any]", value).flatten().tolist())
    if isinstance(value, list | tuple):
        return tuple(reference_key(item) for item in cast("Sequence[object]", value))
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return tuple((name, reference_key(item)) for name, item in sorted(items))
    return value


def intern(keys: Sequence[object]) -> tuple[IntRows, tuple[Key, ...]]:
    """Dense ids of a column in order of first appearance, and the key behind each id."""
    kinds = set(map(type, keys))
    if len(kinds) <= 1 and kinds <= {str, int, bytes}:
        return _dense(cast("Sequence[Key]", keys))
    ids, encodings = _dense([_scalar_bytes(key) for key in keys])
    first = dict(zip(reversed(ids.tolist()), reversed(keys), strict=True))
    return ids, tuple(_python_key(first[i]) for i in range(len(encodings)))


def _dense(keys: Sequence[Key]) -> tuple[IntRows, tuple[Key, ...]]:
    vocabulary = tuple(dict.fromkeys(keys))
    index = dict(zip(vocabulary, range(len(vocabulary)), strict=True))
    return np.fromiter(map(index.__getitem__, keys), np.int64, count=len(keys)), vocabulary


def _scalar_bytes(key: object) -> bytes:
    if not isinstance(key, (*_SCALARS, np.generic)):
        raise BadKey(
            f"a key must be str, int, float, bool or bytes, got {type(key).__name__} "
            f"({key!r:.60}); make one with gigym.grouping.structured_key(value)"
        )
    return key_bytes(cast("object", key))


def _python_key(key: object) -> Key:
    scalar = isinstance(key, np.generic)
    return cast("Key", _python_scalar(cast("np.generic[Any]", key)) if scalar else key)


def _python_scalar(value: "np.generic[Any]") -> object:
    plain = cast("object", value.item())
    if isinstance(plain, np.generic):
        raise BadKey(f"a numpy {type(value).__name__} has no Python type; convert it first")
    return plain


def _float_text(value: float) -> bytes:
    return (0.0 if value == 0.0 else value).hex().encode()


def _array_bytes(array: NDArray[Any]) -> bytes:
    if array.dtype.hasobject:
        raise BadKey("an array of objects cannot be a key; hand its items as a list")
    return b"%b%b" % (key_bytes([array.dtype.str, list(array.shape)]), array.tobytes())


def _sequence_bytes(items: Iterable[object]) -> bytes:
    return b"".join(map(key_bytes, items))


def _mapping_bytes(mapping: Mapping[object, object]) -> bytes:
    return b"".join(sorted(key_bytes(name) + key_bytes(item) for name, item in mapping.items()))


_ENCODERS: tuple[tuple[Any, bytes, Callable[[Any], bytes]], ...] = (
    (type(None), b"n", lambda _: b""),
    (bool, b"b", lambda value: b"1" if value else b"0"),
    (int, b"i", lambda value: str(value).encode()),
    (float, b"f", _float_text),
    (str, b"s", lambda value: value.encode("utf-8", "surrogatepass")),
    (bytes, b"y", lambda value: value),
    (np.ndarray, b"a", _array_bytes),
    ((list, tuple), b"l", _sequence_bytes),
    (Mapping, b"m", _mapping_bytes),
)

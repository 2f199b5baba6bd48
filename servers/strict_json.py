"""JSON as the protocol wants it: finite, unambiguous, encodable, shallow."""

import json
from collections.abc import Iterable
from typing import Any, cast

_MAX_DEPTH = 32
_MAX_INT_DIGITS = 20
_CONTAINERS = (dict, list)


class BadJson(ValueError):
    """The text is JSON of a kind that this server refuses, or no JSON at all."""


def check_json(body: bytes) -> None:
    """Raise `BadJson` unless every reader takes the body the same way and can write it again."""
    parse_json(body)


def parse_json(body: bytes) -> object:
    """The value of a JSON text. Raises `BadJson` unless every reader takes it the same way.

    Refused: NaN and infinities, numbers beyond double precision or 64 bits, keys given twice,
    halves of surrogate pairs, nesting deeper than 32.
    """
    try:
        text = body.decode("utf-8")
        tree = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_int64,
            object_pairs_hook=_unique,
        )
        if "\\ud" in text or "\\uD" in text:
            json.dumps(tree, ensure_ascii=False).encode("utf-8")
    except BadJson:
        raise
    except UnicodeDecodeError as error:
        raise BadJson(f"the body is not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise BadJson("half of a surrogate pair cannot be encoded as UTF-8") from None
    except RecursionError:
        raise BadJson(f"nested deeper than {_MAX_DEPTH}") from None
    except ValueError as error:
        raise BadJson(f"the body is not JSON: {error}") from None
    _check_depth(tree)
    return tree


def _refuse_constant(text: str) -> float:
    raise BadJson(f"{text} is not JSON; numbers must be finite")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise BadJson("a number is too large for double precision")
    return number


def _int64(text: str) -> int:
    if len(text) <= _MAX_INT_DIGITS and -(2**63) <= (number := int(text)) < 2**63:
        return number
    raise BadJson("an integer does not fit 64 bits")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        raise BadJson("an object has the same key twice")
    return tree


def _check_depth(tree: object) -> None:
    level = _containers([tree])
    for _ in range(_MAX_DEPTH):
        if not level:
            return
        level = [child for node in level for child in _containers(_children(node))]
    if level:
        raise BadJson(f"nested deeper than {_MAX_DEPTH}")


def _containers(nodes: Iterable[object]) -> list[object]:
    # Texts and numbers, the most of a request, are passed over without a call each.
    return [node for node in nodes if isinstance(node, _CONTAINERS)]


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return cast("dict[str, object]", node).values()
    return cast("list[object]", node)

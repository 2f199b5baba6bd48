"""Tool calls in the JSON of chat APIs: `{"name": ..., "arguments": {...}}`, bare or in tags.

Accepted around it: `<tool_call>` tags, the `tool_calls` list of a message, `function` objects,
and arguments given as JSON text. Strict otherwise: duplicate keys, NaN, unknown tools and unknown
arguments are faults with a reason.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from ..types import JsonValue

OPEN, CLOSE = "<tool_call>", "</tool_call>"
ARGUMENTS = {"calculator": "expression", "python": "code"}
"""Tool -> the name of its one argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """One JSON call found in a text."""

    start: int
    end: int
    tool: str = ""
    code: str = ""
    fault: str = ""
    """Why it is no call; empty when it is."""


def read_native(text: str) -> list[Native]:
    """The JSON calls of a text: the whole text, or every `<tool_call>` block."""
    bare = text.strip()
    if bare.startswith("{") and bare.endswith("}"):
        tree = _tree(bare)
        if isinstance(tree, dict) and tree.keys() & {"name", "function", "tool_calls"}:
            return [_call(tree, 0, len(text))]
    return list(_blocks(text))


def _blocks(text: str) -> Iterator[Native]:
    place = 0
    while (start := text.find(OPEN, place)) >= 0:
        end = text.find(CLOSE, start)
        if end < 0:
            return
        place = end + len(CLOSE)
        yield _call(_tree(text[start + len(OPEN) : end]), start, place)


def _call(tree: JsonValue, start: int, end: int) -> Native:
    try:
        tool, code = _tool_and_code(_innermost(tree))
    except ValueError as error:
        return Native(start=start, end=end, fault=str(error))
    return Native(start=start, end=end, tool=tool, code=code)


def _innermost(tree: JsonValue) -> JsonValue:
    """The object with the name, out of a message's list and a `function` object."""
    if isinstance(tree, dict) and isinstance(calls := tree.get("tool_calls"), list) and calls:
        tree = calls[0]
    if isinstance(tree, dict) and isinstance(function := tree.get("function"), dict):
        tree = function
    return tree


def _tool_and_code(tree: JsonValue) -> tuple[str, str]:
    if not isinstance(tree, dict):
        raise ValueError("the tool call is no JSON object with the keys name and arguments")
    tool, arguments = tree.get("name"), tree.get("arguments", tree.get("parameters"))
    if not isinstance(tool, str) or tool not in ARGUMENTS:
        raise ValueError(f"there is no tool {ascii(tool)[:40]}")
    if isinstance(arguments, str):
        arguments = _tree(arguments)
    key = ARGUMENTS[tool]
    if not isinstance(arguments, dict) or list(arguments) != [key]:
        raise ValueError(f"{tool} takes the one argument {key!r}")
    code = arguments[key]
    if not isinstance(code, str):
        raise ValueError(f"{tool}: {key} must be a string")
    return tool, code


def _tree(text: str) -> JsonValue:
    """The JSON value of a text; None where it is none."""
    try:
        return cast(
            JsonValue,
            json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant),
        )
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is no JSON")

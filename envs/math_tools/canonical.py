"""One name for one computation: code without what does not matter to its result.

Code that parses is named by its syntax tree without positions, so blanks, comments and brackets
do not count; other code by its stripped text.
"""

import ast
import threading
import warnings
from typing import cast

from .calculator import parse_expression
from .calls import Call
from .limits import CalculatorError

MAX_CHARS = 20_000
MAX_DEPTH = 100
"""Longer or deeper code is named by its text."""

# Filters of warnings belong to the whole process; two threads must not restore them crosswise.
_FILTERS = threading.Lock()


def canonical(call: Call) -> str:
    """The code of a call in canonical form."""
    tree = _expression(call.code) if call.tool == "calculator" else _program(call.code)
    if tree is None:
        return call.code.strip()
    form = _form(tree, 0)
    return call.code.strip() if form is None else form


def _expression(code: str) -> ast.AST | None:
    try:
        return parse_expression(code)
    except CalculatorError:
        return None


def _program(code: str) -> ast.AST | None:
    if len(code) > MAX_CHARS:
        return None
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _form(node: object, depth: int) -> str | None:
    """The tree as text; None where it is nested deeper than this counts, wherever it is called.

    Fields left empty are left out, since versions of Python differ in them.
    """
    if depth > MAX_DEPTH:
        return None
    if isinstance(node, ast.AST):
        found = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        parts = [_form(value, depth + 1) for _, value in found]
        names = [type(node).__name__, *(name for name, _ in found)]
    elif isinstance(node, list):
        parts = [_form(item, depth + 1) for item in cast("list[object]", node)]
        names = ["list"]
    else:
        return ascii(node)
    if None in parts:
        return None
    return f"({','.join(names)}:{','.join(map(str, parts))})"

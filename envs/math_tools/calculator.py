"""The calculator: exact arithmetic on text, without `eval` and within fixed limits.

In: an expression over + - * / // % **, brackets, `pi`, `e` and a dozen functions. Out: an exact
`int` or `Fraction`, or a `float` where the value is irrational; or `CalculatorError` with one
line for the agent. Text is split into known tokens before Python's parser sees it, and the size
of a result is bounded before it is computed, so that a refusal takes microseconds.
"""

import ast
import re
from collections.abc import Iterator
from decimal import Decimal

from .limits import MAX_CHARS, CalculatorError, Meter, Number, as_number, exact_decimal
from .operations import CONSTANTS, FUNCTIONS, OPERATORS, negative

MAX_NODES = 1_000
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"(?![0-9A-Za-z_.])|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|//|[-+*/%(),]))",
    re.ASCII,
)
_SPELLINGS = str.maketrans({"\u00d7": "*", "\u00f7": "/", "\u2212": "-", "\u00b7": "*"})


def calculate(text: str) -> Number:
    """The value of an expression. Raises `CalculatorError` for whatever is no such value."""
    plain = " ".join(_tokens(text))
    return _Evaluator(plain, _tree(plain)).value()


def show(value: Number) -> str:
    """A value as text: digits, `a/b`, or the shortest decimal of a float."""
    if isinstance(value, float):
        return repr(value)
    # Decimal writes long integers that str(int) refuses, without touching a global setting.
    top = str(Decimal(value.numerator))
    return top if value.denominator == 1 else f"{top}/{Decimal(value.denominator)}"


def parse_expression(text: str) -> ast.Expression:
    """The syntax tree of an expression. Raises `CalculatorError` for what is none."""
    return _tree(" ".join(_tokens(text)))


def _tree(plain: str) -> ast.Expression:
    try:
        return ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise CalculatorError("syntax error: not a complete expression") from None


def _tokens(text: str) -> Iterator[str]:
    if len(text) > MAX_CHARS:
        raise CalculatorError(f"expression too long: {len(text)} characters, at most {MAX_CHARS}")
    plain, place, depth, signs = text.translate(_SPELLINGS).strip(), 0, 0, 0
    if not plain:
        raise CalculatorError("empty expression")
    while place < len(plain):
        found = _TOKEN.match(plain, place)
        if found is None:
            raise CalculatorError(_unknown(plain[place:].lstrip()))
        token, place = found[0].strip(), found.end()
        depth += (token == "(") - (token == ")")
        signs = signs + 1 if token in "+-" else 0
        if max(depth, signs) > MAX_DEPTH:
            raise CalculatorError(f"nested too deeply: more than {MAX_DEPTH} levels")
        yield token


def _unknown(rest: str) -> str:
    if rest.startswith("^"):
        return "unknown sign '^': a power is written **"
    if rest.startswith("!"):
        return "unknown sign '!': write factorial(n)"
    if rest[0] in "<>=":
        return f"unknown sign {rest[0]!r}: the calculator does not compare"
    return f"cannot read {rest[:20]!a}: expected a number, an operator or a function"


class _Evaluator:
    """Walks one tree; a chain such as 1+2+3 is walked in a loop, so that it is not deep."""

    def __init__(self, text: str, tree: ast.Expression) -> None:
        self._text = text
        self._body = tree.body
        self._nodes = 0
        self._meter = Meter()

    def value(self) -> Number:
        """The value of the whole tree."""
        try:
            return as_number(self._visit(self._body, 1))
        except ZeroDivisionError:
            raise CalculatorError("division by zero") from None
        except OverflowError:
            raise CalculatorError("result too large for a decimal number") from None
        except ValueError:
            raise CalculatorError("the function is not defined there") from None

    def _visit(self, node: ast.expr, depth: int) -> Number:
        self._count(depth)
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name():
                return self._constant(node.id)
            case ast.UnaryOp(op=ast.USub()):
                return negative(self._visit(node.operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd()):
                return self._visit(node.operand, depth + 1)
            case ast.BinOp():
                return self._chain(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case _:
                raise CalculatorError("only one number at a time: commas belong inside functions")

    def _chain(self, node: ast.BinOp, depth: int) -> Number:
        links: list[ast.BinOp] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp):
            self._count(depth)
            links.append(first)
            first = first.left
        value = self._visit(first, depth + 1)
        for link in reversed(links):
            operate = OPERATORS[type(link.op)]
            value = operate(value, self._visit(link.right, depth + 1), self._meter)
        return value

    def _call(self, node: ast.Call, depth: int) -> Number:
        if not isinstance(node.func, ast.Name):
            raise CalculatorError("only named functions can be called")
        name = node.func.id
        if name not in FUNCTIONS:
            raise CalculatorError(f"no function {name[:20]!r}; there are: {' '.join(FUNCTIONS)}")
        if node.keywords:
            raise CalculatorError(f"{name} takes no named arguments")
        values = [self._visit(argument, depth + 1) for argument in node.args]
        return FUNCTIONS[name](values, self._meter)

    def _constant(self, name: str) -> Number:
        if name not in CONSTANTS:
            raise CalculatorError(f"no name {name[:20]!r}; there are: {' '.join(CONSTANTS)}")
        return CONSTANTS[name]

    def _literal(self, node: ast.Constant) -> Number:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise CalculatorError("only numbers are values")
        if isinstance(node.value, int):
            return node.value
        # The tree holds the nearest float; the text holds what was meant.
        return exact_decimal(self._text[node.col_offset : node.end_col_offset])

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise CalculatorError(f"expression too large: more than {MAX_NODES} parts")
        if depth > MAX_DEPTH:
            raise CalculatorError(f"nested too deeply: more than {MAX_DEPTH} levels")

"""Countdown answers: an expression over given numbers, each used at most once, with + - * / only.

Read by the safe syntax tree: whole numbers, four operators and brackets are all there is. The
value is exact.
"""

import ast
from collections import Counter
from fractions import Fraction

from .calculator import parse_expression
from .limits import CalculatorError

_MAX_DEPTH = 50
_LATEX = (("\\times", "*"), ("\\cdot", "*"), ("\\div", "/"), ("[", "("), ("]", ")"))


def reaches(answer: str, numbers: tuple[int, ...], target: int) -> bool:
    """Whether the expression uses the numbers by the rules and has the target as its value."""
    expression, sign, stated = answer.partition("=")
    # `(3 + 4) * 5 = 35` is how people write it; what stands behind must be the target itself.
    if sign and stated.strip() != str(target):
        return False
    for latex, plain in _LATEX:
        expression = expression.replace(latex, plain)
    used: Counter[int] = Counter()
    try:
        value = _value(parse_expression(expression).body, used, 0)
    except (CalculatorError, ZeroDivisionError):
        return False
    return value == target and used <= Counter(numbers)


def _value(node: ast.expr, used: Counter[int], depth: int) -> Fraction:
    if depth > _MAX_DEPTH:
        raise CalculatorError("nested too deeply")
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            used[number] += 1
            return Fraction(number)
        case ast.BinOp():
            left = _value(node.left, used, depth + 1)
            right = _value(node.right, used, depth + 1)
            return _combined(node.op, left, right)
        case _:
            raise CalculatorError("only the given numbers with + - * / and brackets")


def _combined(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case _:
            raise CalculatorError("only + - * /")

"""Operators and functions of the calculator, each bounded before it computes.

All take values that are exact (`int`, `Fraction`) or `float`, and the meter of the expression.
"""

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from .limits import (
    MAX_CHOICES,
    MAX_EXPONENT,
    MAX_FACTORIAL,
    MAX_MODULUS_BITS,
    CalculatorError,
    Meter,
    Number,
    as_number,
    bits,
)

Operation = Callable[[Number, Number, Meter], Number]
Function = Callable[[Sequence[Number], Meter], Number]

CONSTANTS: Mapping[str, Number] = {"pi": math.pi, "e": math.e}


def negative(value: Number) -> Number:
    """The value with its sign turned."""
    return -value


def add(left: Number, right: Number, meter: Meter) -> Number:
    """Sum; fractions are brought to one denominator first."""
    _join(left, right, meter)
    return as_number(left + right)


def subtract(left: Number, right: Number, meter: Meter) -> Number:
    """Difference."""
    _join(left, right, meter)
    return as_number(left - right)


def multiply(left: Number, right: Number, meter: Meter) -> Number:
    """Product."""
    _meet(left, right, meter)
    return as_number(left * right)


def divide(left: Number, right: Number, meter: Meter) -> Number:
    """Quotient, exact for exact numbers."""
    _meet(left, right, meter)
    if isinstance(left, float) or isinstance(right, float):
        return as_number(left / right)
    return as_number(Fraction(left) / right)


def floor_divide(left: Number, right: Number, meter: Meter) -> Number:
    """Quotient rounded down."""
    meter.allow(0, bits(left) * bits(right))
    return as_number(left // right)


def modulo(left: Number, right: Number, meter: Meter) -> Number:
    """Remainder with the sign of the divisor."""
    meter.allow(0, bits(left) * bits(right))
    return as_number(left % right)


def power(base: Number, exponent: Number, meter: Meter) -> Number:
    """Power, exact for whole exponents and for roots that come out even."""
    if abs(exponent) > MAX_EXPONENT:
        raise CalculatorError(
            f"exponent too large: at most {MAX_EXPONENT}; remainders of powers: pow(a, b, m)"
        )
    if isinstance(base, float) or isinstance(exponent, float):
        return _float_power(base, exponent)
    if isinstance(exponent, Fraction):
        return _root_power(base, exponent, meter)
    size = bits(base) * abs(exponent) if abs(base) != 1 else 1
    meter.allow(size, size * size / 4)
    return as_number(Fraction(base) ** exponent)


OPERATORS: Mapping[type[ast.operator], Operation] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: floor_divide,
    ast.Mod: modulo,
    ast.Pow: power,
}


def _meet(left: Number, right: Number, meter: Meter) -> None:
    """Bound what two operands can make: no result is longer than both together."""
    size_left, size_right = bits(left), bits(right)
    # A whole number counts one bit for its denominator, and a product may be one bit shorter.
    meter.allow(size_left + size_right - 3, size_left * size_right)


def _join(left: Number, right: Number, meter: Meter) -> None:
    if isinstance(left, int) and isinstance(right, int):
        meter.allow(max(bits(left), bits(right)) - 1)
    else:
        _meet(left, right, meter)


def _float_power(base: Number, exponent: Number) -> Number:
    if base < 0 and exponent != int(exponent):
        raise CalculatorError("a negative number has no such root")
    return as_number(float(base) ** float(exponent))


def _root_power(base: int | Fraction, exponent: Fraction, meter: Meter) -> Number:
    """base ** (p/q): by the square root where q is 2, else as a float."""
    if exponent.denominator == 2:
        root = square_root([base], meter)
        return power(root, exponent.numerator, meter)
    return _float_power(base, exponent)


def square_root(values: Sequence[Number], meter: Meter) -> Number:
    """Square root, exact for squares of whole numbers and fractions."""
    value = _take("sqrt", values, 1)[0]
    if value < 0:
        raise CalculatorError("a negative number has no square root")
    if isinstance(value, float):
        return math.sqrt(value)
    meter.allow(0, bits(value) ** 2)
    top, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if (top * top, below * below) == (value.numerator, value.denominator):
        return as_number(Fraction(top, below))
    return math.sqrt(value)


def _take(name: str, values: Sequence[Number], *counts: int) -> Sequence[Number]:
    if len(values) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        raise CalculatorError(f"{name} takes {wanted} values, got {len(values)}")
    return values


def _whole(name: str, values: Sequence[Number]) -> list[int]:
    if not values:
        raise CalculatorError(f"{name} takes at least 1 value")
    found = [as_number(value) for value in values]
    whole = [value for value in found if isinstance(value, int)]
    if len(whole) < len(found):
        raise CalculatorError(f"{name} takes whole numbers")
    return whole


def _gcd(values: Sequence[Number], meter: Meter) -> Number:
    whole = _whole("gcd", values)
    meter.allow(0, sum(bits(value) for value in whole) ** 2)
    return math.gcd(*whole)


def _lcm(values: Sequence[Number], meter: Meter) -> Number:
    whole = _whole("lcm", values)
    size = sum(bits(value) - 1 for value in whole)
    meter.allow(size, size**2)
    return math.lcm(*whole)


def _factorial(values: Sequence[Number], meter: Meter) -> Number:
    count = _whole("factorial", _take("factorial", values, 1))[0]
    if not 0 <= count <= MAX_FACTORIAL:
        raise CalculatorError(f"factorial takes 0 to {MAX_FACTORIAL}")
    meter.allow(0, count * count)
    return math.factorial(count)


def _chosen(name: str, values: Sequence[Number], meter: Meter) -> tuple[int, int]:
    """The two counts of `comb` and `perm`, bounded by the product that they stand for."""
    total, picked = _whole(name, _take(name, values, 2))
    if total < 0 or picked < 0:
        raise CalculatorError(f"{name} takes numbers that are not negative")
    factors = min(picked, total - picked) if name == "comb" else picked
    if picked <= total and factors > MAX_CHOICES:
        raise CalculatorError(f"{name} multiplies at most {MAX_CHOICES} factors")
    size = total.bit_length() * max(0, min(factors, total))
    meter.allow(size, size * size / 4)
    return total, picked


def _comb(values: Sequence[Number], meter: Meter) -> Number:
    return math.comb(*_chosen("comb", values, meter))


def _perm(values: Sequence[Number], meter: Meter) -> Number:
    return math.perm(*_chosen("perm", values, meter))


def _pow(values: Sequence[Number], meter: Meter) -> Number:
    """Power, or with a third value the remainder of a power, whose exponent may be long."""
    taken = _take("pow", values, 2, 3)
    if len(taken) == 2:
        return power(taken[0], taken[1], meter)
    base, exponent, modulus = _whole("pow", taken)
    if max(exponent.bit_length(), modulus.bit_length()) > MAX_MODULUS_BITS:
        raise CalculatorError(f"pow takes an exponent and modulus of {MAX_MODULUS_BITS} bits")
    if modulus == 0:
        raise CalculatorError("division by zero")
    if exponent < 0 and math.gcd(base, modulus) != 1:
        raise CalculatorError("no inverse: the base and the modulus share a factor")
    meter.allow(0, bits(base) * bits(modulus) + 10**9)
    return pow(base, exponent, modulus)


def _round(values: Sequence[Number], meter: Meter) -> Number:
    """Nearest whole number, or with a second value so many decimals; halves go to even."""
    value, *rest = _take("round", values, 1, 2)
    if not rest:
        return round(value)
    places = _whole("round", rest)[0]
    if abs(places) > MAX_EXPONENT:
        raise CalculatorError(f"round takes at most {MAX_EXPONENT} places")
    size = bits(value) + 4 * abs(places)
    meter.allow(size, size * size)
    return as_number(round(value, places))


def _absolute(values: Sequence[Number], meter: Meter) -> Number:
    return abs(_take("abs", values, 1)[0])


def _floor(values: Sequence[Number], meter: Meter) -> Number:
    return math.floor(_take("floor", values, 1)[0])


def _ceil(values: Sequence[Number], meter: Meter) -> Number:
    return math.ceil(_take("ceil", values, 1)[0])


def _least(values: Sequence[Number], meter: Meter) -> Number:
    _weigh("min", values, meter)
    return min(values)


def _greatest(values: Sequence[Number], meter: Meter) -> Number:
    _weigh("max", values, meter)
    return max(values)


def _weigh(name: str, values: Sequence[Number], meter: Meter) -> None:
    """Comparing fractions multiplies them crosswise."""
    if not values:
        raise CalculatorError(f"{name} takes at least 1 value")
    meter.allow(0, len(values) * max(bits(value) for value in values) ** 2)


FUNCTIONS: Mapping[str, Function] = {
    "gcd": _gcd,
    "lcm": _lcm,
    "comb": _comb,
    "perm": _perm,
    "factorial": _factorial,
    "sqrt": square_root,
    "abs": _absolute,
    "min": _least,
    "max": _greatest,
    "round": _round,
    "floor": _floor,
    "ceil": _ceil,
    "pow": _pow,
}

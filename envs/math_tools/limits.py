"""What the calculator may cost: bounds that are checked before anything is computed.

`Meter` adds up an estimate of the work of one expression, so that many operations that are each
allowed cannot add up to a hang.
"""

import math
from fractions import Fraction

from ... import GigymError

Number = int | Fraction | float

MAX_CHARS = 4_000
MAX_DIGITS = 100_000
MAX_EXPONENT = 10_000
MAX_FACTORIAL = 5_000
MAX_CHOICES = 20_000
"""Factors that `comb` and `perm` multiply."""
MAX_MODULUS_BITS = 1_024

_MAX_BITS = math.ceil(MAX_DIGITS * math.log2(10))
_BUDGET = 300_000_000_000
"""Products of operand sizes in bits; about half a second."""


class CalculatorError(GigymError, ArithmeticError):
    """One line for the agent: what the calculator refuses or cannot do."""


class Meter:
    """Bounds the size of each result and the work of all operations together."""

    def __init__(self) -> None:
        self._spent = 0

    def allow(self, result_bits: float, work: float = 0) -> None:
        """Refuse a result of more than `MAX_DIGITS` digits, or more work than one call may do."""
        if result_bits > _MAX_BITS:
            raise CalculatorError(f"result too large: more than {MAX_DIGITS} digits")
        self._spent += int(work)
        if self._spent > _BUDGET:
            raise CalculatorError("too much work for one call")


def bits(value: Number) -> int:
    """Size of a number: bits of its numerator and denominator."""
    if isinstance(value, float):
        return 64
    return value.numerator.bit_length() + value.denominator.bit_length()


def as_number(value: Number) -> Number:
    """A result in lowest terms; a whole fraction becomes an integer, nothing infinite passes."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise CalculatorError("result too large for a decimal number")
        return value
    return value.numerator if value.denominator == 1 else value


def exact_decimal(text: str) -> Number:
    """A decimal such as `2.50` or `1e3` as an exact number."""
    exponent = text.lower().partition("e")[2]
    if len(exponent) > 6 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise CalculatorError(f"exponent too large: at most {MAX_EXPONENT}")
    return as_number(Fraction(text))

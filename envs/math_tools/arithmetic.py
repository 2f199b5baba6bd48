"""Problems of plain arithmetic: chains of operations, and numbers in other bases."""

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from .calculator import calculate, show
from .limits import CalculatorError
from .types import AnswerRules, Draft

_TERMS = {1: (2, 3), 2: (3, 5), 3: (5, 7), 4: (9, 11), 5: (11, 12)}
BIG = 10**9
"""From difficulty 4 on, every problem has a number beyond this on its way, or 20 operations."""
_LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2}
DIGITS = "0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """An expression with its exact value, as it is put together."""

    text: str
    value: Fraction
    level: int
    """How tightly its last operation binds: 1 sums, 2 products, 3 a number."""
    largest: int
    """The largest number in its parts' values."""


def arith_chain(rng: Random, difficulty: int) -> Draft:
    """2 to 12 terms with + - * / and brackets; fractions from difficulty 3 on."""
    terms = rng.randint(*_TERMS[difficulty])
    while True:
        chain = _chain(rng, terms, difficulty)
        if chain is not None and _suits(chain, difficulty):
            break
    # The chain was valued while it was put together; the answer is read off its text.
    answer = show(calculate(chain.text))
    form = "as an integer or a reduced fraction" if difficulty > 2 else "as an integer"
    return Draft(
        question=f"Compute {chain.text}. Give the exact result {form}.",
        answer=answer,
        work=(chain.text,),
        meta={"terms": terms},
    )


def _suits(chain: _Term, difficulty: int) -> bool:
    if difficulty <= 2:
        return chain.value.denominator == 1
    if difficulty == 3:
        return chain.value.denominator < 10**4
    return chain.largest > BIG and chain.value.denominator < 10**12


def _chain(rng: Random, terms: int, difficulty: int) -> _Term | None:
    if terms == 1:
        number = rng.randint(2, 10**difficulty)
        return _Term(text=str(number), value=Fraction(number), level=3, largest=number)
    cut = rng.randint(1, terms - 1)
    left, right = _chain(rng, cut, difficulty), _chain(rng, terms - cut, difficulty)
    sign = rng.choice("++--**/")
    if left is None or right is None or (sign == "/" and right.value == 0):
        return None
    return _joined(left, sign, right)


def _joined(left: _Term, sign: str, right: _Term) -> _Term:
    level = _LEVEL[sign]
    first = f"({left.text})" if left.level < level else left.text
    # a - (b - c): an equal level on the right side needs its brackets.
    second = f"({right.text})" if right.level <= level else right.text
    value = _operated(left.value, sign, right.value)
    top = max(abs(value.numerator), value.denominator, left.largest, right.largest)
    return _Term(text=f"{first} {sign} {second}", value=value, level=level, largest=top)


def _operated(left: Fraction, sign: str, right: Fraction) -> Fraction:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case _:
            raise CalculatorError(f"no operation {sign!r}")


def base(rng: Random, difficulty: int) -> Draft:
    """A number written in another base, or the ones in its binary form."""
    low, high = {1: (5, 63), 2: (64, 999), 3: (10**4, 10**6)}.get(
        difficulty, (BIG + 1, 10 ** (3 * difficulty - 1))
    )
    number = rng.randint(low, high)
    ask = rng.choice(("to", "from", "between", "ones"))
    if ask == "ones":
        return _ones(number)
    source = 10 if ask == "to" else rng.choice((2, 3, 5, 7, 8, 12, 16))
    if ask == "from":
        return _decimal(number, source)
    target = rng.choice([b for b in (2, 3, 4, 6, 8, 9, 16) if b != source])
    return _converted(number, source, target)


def in_base(number: int, base: int) -> str:
    """Digits of a number that is not negative, lower case beyond 9."""
    found = ""
    while number:
        number, digit = divmod(number, base)
        found = DIGITS[digit] + found
    return found or "0"


def _ones(number: int) -> Draft:
    digits = in_base(number, 2)
    return Draft(
        question=f"How many digits 1 does the binary form of {number} have?",
        answer=str(number.bit_count()),
        rules=AnswerRules(form="number", units=("ones", "digits", "bits")),
        work=(_spelled(digits, 2), " + ".join(digits)),
        meta={"ask": "ones"},
    )


def _decimal(number: int, source: int) -> Draft:
    digits = in_base(number, source)
    return Draft(
        question=f"The digits {digits} are a number in base {source}. Write it in base 10.",
        answer=str(int(digits, source)),
        rules=AnswerRules(form="digits", target=10),
        work=(_spelled(digits, source),),
        meta={"ask": "from", "source": source},
    )


def _converted(number: int, source: int, target: int) -> Draft:
    digits, answer = in_base(number, source), in_base(number, target)
    return Draft(
        question=(
            f"Write the base-{source} number {digits} in base {target}. "
            "Use the letters a to f for digits above 9 and give the digits alone."
        ),
        answer=answer,
        rules=AnswerRules(form="digits", target=target),
        work=(_spelled(digits, source), _spelled(answer, target)),
        meta={"ask": "to", "source": source, "target": target},
    )


def _spelled(digits: str, base: int) -> str:
    """The sum that the digits stand for."""
    top = len(digits) - 1
    return " + ".join(f"{DIGITS.index(d)}*{base}**{top - i}" for i, d in enumerate(digits))

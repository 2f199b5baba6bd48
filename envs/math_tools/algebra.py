"""Problems of algebra: linear equations and systems, quadratic equations."""

from fractions import Fraction
from math import gcd
from random import Random

from .calculator import show
from .types import AnswerRules, Draft

Row = list[int]
_NAMES = ("x", "y", "z")


def linear(rng: Random, difficulty: int) -> Draft:
    """One unknown, or two or three equations with a whole solution."""
    if difficulty <= 2:
        return _one_unknown(rng, difficulty)
    size = 2 if difficulty == 3 else 3
    reach = {3: 20, 4: 10**5, 5: 10**6}[difficulty]
    solution = [rng.choice((-1, 1)) * rng.randint(1, reach) for _ in range(size)]
    matrix = _unimodular(rng, size)
    sides = [sum(a * x for a, x in zip(row, solution, strict=True)) for row in matrix]
    lines = [f"{_side(row)} = {side}" for row, side in zip(matrix, sides, strict=True)]
    names = _NAMES[:size]
    # Solved anew from the equations; the numbers they were made from are not used.
    answer = ", ".join(show(value) for value in _cramer(matrix, sides))
    return Draft(
        question=(
            f"Solve the system {'; '.join(lines)}. Give the answer as a tuple ({', '.join(names)})."
        ),
        answer=f"({answer})",
        rules=AnswerRules(form="tuple", names=names),
        work=tuple(_cramer_text(matrix, sides, column) for column in range(size)),
        meta={"unknowns": size},
    )


def _one_unknown(rng: Random, difficulty: int) -> Draft:
    reach = 10 if difficulty == 1 else 100
    solution = rng.choice((-1, 1)) * rng.randint(1, reach)
    left, constant = rng.randint(2, reach), rng.randint(-reach, reach)
    right = 0 if difficulty == 1 else rng.choice([n for n in range(-9, 10) if n != left and n])
    side = (left - right) * solution + constant
    equation = f"{_side([left], constant)} = {_side([right], side)}"
    return Draft(
        question=f"Solve for x: {equation}. Give the value of x.",
        answer=show(Fraction(side - constant, left - right)),
        rules=AnswerRules(form="number", names=("x",)),
        work=(f"({side} - {_held(constant)}) / ({left} - {_held(right)})",),
        meta={"unknowns": 1},
    )


def _unimodular(rng: Random, size: int) -> list[Row]:
    """A matrix of determinant 1: lower times upper triangle with ones on the diagonal."""
    lower = [[_entry(rng, r - c) for c in range(size)] for r in range(size)]
    upper = [[_entry(rng, c - r) for c in range(size)] for r in range(size)]
    columns = list(zip(*upper, strict=True))
    return [[sum(a * b for a, b in zip(row, col, strict=True)) for col in columns] for row in lower]


def _entry(rng: Random, off: int) -> int:
    if off <= 0:
        return int(off == 0)
    return rng.choice((-3, -2, -1, 1, 2, 3))


def _side(factors: Row, constant: int = 0) -> str:
    """`2x - y + 5`; terms that are zero are left out."""
    terms = [(f, name) for f, name in zip(factors, _NAMES, strict=False) if f]
    words = [("-" if f < 0 else "+", f"{'' if abs(f) == 1 else abs(f)}{name}") for f, name in terms]
    if constant or not words:
        words.append(("-" if constant < 0 else "+", str(abs(constant))))
    text = " ".join(f"{sign} {word}" for sign, word in words)
    return text.removeprefix("+ ") if text.startswith("+") else text.replace("- ", "-", 1)


def _held(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


def determinant(matrix: list[Row]) -> int:
    """Determinant by expansion along the first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    minors = ([row[:c] + row[c + 1 :] for row in matrix[1:]] for c in range(len(matrix)))
    terms = (f * determinant(m) for f, m in zip(matrix[0], minors, strict=True))
    return sum(-term if c % 2 else term for c, term in enumerate(terms))


def _cramer(matrix: list[Row], sides: list[int]) -> list[Fraction]:
    below = determinant(matrix)
    return [Fraction(determinant(_replaced(matrix, sides, c)), below) for c in range(len(matrix))]


def _replaced(matrix: list[Row], sides: list[int], column: int) -> list[Row]:
    pairs = zip(matrix, sides, strict=True)
    return [[*row[:column], side, *row[column + 1 :]] for row, side in pairs]


def _cramer_text(matrix: list[Row], sides: list[int], column: int) -> str:
    return f"({_spelled(_replaced(matrix, sides, column))}) / ({_spelled(matrix)})"


def _spelled(matrix: list[Row]) -> str:
    """A determinant as an expression."""
    if len(matrix) == 1:
        return _held(matrix[0][0])
    parts: list[str] = []
    for column, factor in enumerate(matrix[0]):
        minor = [row[:column] + row[column + 1 :] for row in matrix[1:]]
        parts.append(f"{_held(-factor if column % 2 else factor)}*({_spelled(minor)})")
    return " + ".join(parts)


def quadratic(rng: Random, difficulty: int) -> Draft:
    """A quadratic equation with given rational roots: its roots, their sum, the discriminant."""
    first, second = _root(rng, difficulty), _root(rng, difficulty)
    while first == second or first + second == 0:
        second = _root(rng, difficulty)
    a = first.denominator * second.denominator
    b, c = int(-a * (first + second)), int(a * first * second)
    shared = gcd(a, b, c)
    a, b, c = a // shared, b // shared, c // shared
    ask = rng.choice(("roots", "roots", "sum", "discriminant"))
    equation = f"{_powers(a, b, c)} = 0"
    return _asked(ask, equation, a, b, c)


def _asked(ask: str, equation: str, *factors: int) -> Draft:
    a, b, c = factors
    inside = f"{_held(b)}**2 - 4*{a}*{_held(c)}"
    under = b * b - 4 * a * c
    if ask == "roots":
        root = _whole_root(under)
        answers = sorted((Fraction(-b - root, 2 * a), Fraction(-b + root, 2 * a)))
        return Draft(
            question=f"Find all solutions of {equation}. Give them as a set, exact.",
            answer="{" + ", ".join(show(value) for value in answers) + "}",
            rules=AnswerRules(form="set", names=("x",)),
            work=tuple(f"({-b} {sign} sqrt({inside})) / (2*{a})" for sign in "-+"),
            meta={"ask": ask},
        )
    if ask == "sum":
        question = f"What is the sum of the two solutions of {equation}? Give it exactly."
        return Draft(
            question=question,
            answer=show(Fraction(-b, a)),
            work=(f"{_held(-b)} / {a}",),
            meta={"ask": ask},
        )
    question = f"What is the discriminant of the quadratic equation {equation}?"
    return Draft(question=question, answer=str(under), work=(inside,), meta={"ask": ask})


def _root(rng: Random, difficulty: int) -> Fraction:
    sign = rng.choice((-1, 1))
    if difficulty <= 2:
        return Fraction(sign * rng.randint(1, 9 if difficulty == 1 else 30))
    if difficulty == 3:
        return Fraction(sign * rng.randint(1, 40), rng.randint(1, 6))
    # Two such tops make a last coefficient beyond 10^9, also in lowest terms.
    top = rng.choice(range(40_001, 99_999, 2 * difficulty))
    return Fraction(sign * top) if difficulty == 4 else Fraction(sign * top, rng.choice((2, 4, 8)))


def _whole_root(square: int) -> int:
    """Whole square root by Newton's steps."""
    guess = 1 << (square.bit_length() // 2 + 1)
    while (step := (guess + square // guess) // 2) < guess:
        guess = step
    return guess


def _powers(a: int, b: int, c: int) -> str:
    head = "x^2" if a == 1 else f"{a}x^2"
    tail = _side([b], c)
    return f"{head} - {tail[1:]}" if tail.startswith("-") else f"{head} + {tail}"

"""Problems of counting and of sequences."""

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from random import Random

from .calculator import show
from .types import AnswerRules, Draft

_WAYS = AnswerRules(form="number", units=("ways", "paths", "solutions", "arrangements"))


def combinatorics(rng: Random, difficulty: int) -> Draft:
    """Choices, arrangements with repeated letters, lattice paths, stars and bars."""
    asks: tuple[Callable[[Random, int], Draft], ...] = (_choice, _letters, _paths, _stars)
    return rng.choice(asks)(rng, difficulty)


def _sizes(rng: Random, difficulty: int) -> tuple[int, int]:
    """Two counts whose choices exceed 10^9 from difficulty 4 on."""
    low, high = {1: (2, 4), 2: (3, 7), 3: (6, 12), 4: (18, 24), 5: (30, 60)}[difficulty]
    return rng.randint(low, high), rng.randint(low, high)


def _choice(rng: Random, difficulty: int) -> Draft:
    picked, left = _sizes(rng, difficulty)
    total = picked + left
    return Draft(
        question=f"In how many ways can a committee of {picked} be chosen from {total} people?",
        answer=str(math.comb(total, picked)),
        rules=_WAYS,
        work=(f"comb({total}, {picked})",),
        meta={"ask": "choice", "total": total, "picked": picked},
    )


def _letters(rng: Random, difficulty: int) -> Draft:
    low, high = {1: (3, 4), 2: (5, 6), 3: (7, 9), 4: (18, 22), 5: (24, 30)}[difficulty]
    alphabet = "ABEKLMNOPRST"[: 3 + 2 * min(difficulty, 4)]
    word = "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))
    while difficulty > 3 and _orders(word) <= 10**9:
        word = "".join(rng.choice(alphabet) for _ in range(high))
    repeats = [n for n in Counter(word).values() if n > 1]
    below = "".join(f" / factorial({n})" for n in repeats)
    return Draft(
        question=f"How many different arrangements of all the letters of {word} are there?",
        answer=str(_orders(word)),
        rules=_WAYS,
        work=(f"factorial({len(word)}){below}",),
        meta={"ask": "letters", "word": word},
    )


def _orders(word: str) -> int:
    """Arrangements, by placing one letter after the other."""
    found, left = 1, len(word)
    for count in Counter(word).values():
        found, left = found * math.comb(left, count), left - count
    return found


def _paths(rng: Random, difficulty: int) -> Draft:
    right, up = _sizes(rng, difficulty)
    return Draft(
        question=(
            f"How many paths lead from (0, 0) to ({right}, {up}) "
            "if each step goes 1 to the right or 1 up?"
        ),
        answer=str(math.comb(right + up, up)),
        rules=_WAYS,
        work=(f"comb({right} + {up}, {up})",),
        meta={"ask": "paths", "right": right, "up": up},
    )


def _stars(rng: Random, difficulty: int) -> Draft:
    total, kinds = _sizes(rng, difficulty)
    return Draft(
        question=(
            f"In how many ways can {total} equal balls be put into {kinds} different boxes? "
            "Boxes may stay empty."
        ),
        answer=str(math.comb(total + kinds - 1, kinds - 1)),
        rules=_WAYS,
        work=(f"comb({total} + {kinds} - 1, {kinds} - 1)",),
        meta={"ask": "stars", "total": total, "kinds": kinds},
    )


def sequences(rng: Random, difficulty: int) -> Draft:
    """Arithmetic, geometric and recurrent sequences: the n-th term or a sum."""
    asks: tuple[Callable[[Random, int], Draft], ...] = (_arithmetic, _geometric, _recurrent)
    return rng.choice(asks)(rng, difficulty)


def _arithmetic(rng: Random, difficulty: int) -> Draft:
    low, high = {1: (1, 9), 2: (1, 50), 3: (10, 500)}.get(difficulty, (10**6, 10**7))
    first, step = rng.randint(low, high), rng.choice((-1, 1)) * rng.randint(max(2, low), high)
    number = rng.randint(*{1: (5, 12), 2: (10, 40), 3: (50, 200)}.get(difficulty, (2_000, 9_000)))
    told = f"{first}, {first + step}, {first + 2 * step}, ..."
    if rng.random() < 0.5:
        return Draft(
            question=f"What is term number {number} of the arithmetic sequence {told}?",
            answer=show(sum([step] * (number - 1), first)),
            work=(f"{first} + ({number} - 1)*({step})",),
            meta={"ask": "arithmetic_term", "first": first, "step": step, "number": number},
        )
    return Draft(
        question=(
            f"What is the sum of the first {number} terms of the arithmetic sequence {told}?"
        ),
        answer=str(sum(first + i * step for i in range(number))),
        work=(f"{number}*(2*({first}) + ({number} - 1)*({step})) / 2",),
        meta={"ask": "arithmetic_sum", "first": first, "step": step, "number": number},
    )


def _geometric(rng: Random, difficulty: int) -> Draft:
    top = 1 + min(difficulty, 3)
    # A ratio other than 1 and -1, in lowest terms.
    ratio = Fraction(rng.randint(2, 1 + top), 1 if difficulty == 1 else rng.randint(1, top))
    ratio = ratio + 1 if ratio == 1 else ratio
    if difficulty > 1 and rng.random() < 0.3:
        ratio = -ratio
    first = rng.randint(1, 5 * difficulty)
    number = rng.randint(*{1: (3, 5), 2: (4, 7), 3: (6, 9)}.get(difficulty, (70, 80)))
    terms = [first * ratio**i for i in range(3)]
    told = ", ".join(show(term) for term in terms) + ", ..."
    held = f"({show(ratio)})"
    if rng.random() < 0.5:
        return Draft(
            question=f"What is term number {number} of the geometric sequence {told}? Exact.",
            answer=show(_repeated(Fraction(first), ratio, number - 1)),
            work=(f"{first}*{held}**({number} - 1)",),
            meta={"ask": "geometric_term", "first": first, "number": number},
        )
    return Draft(
        question=(
            f"What is the sum of the first {number} terms of the geometric sequence {told}? Exact."
        ),
        answer=show(sum(_repeated(Fraction(first), ratio, i) for i in range(number))),
        work=(f"{first}*({held}**{number} - 1) / ({held} - 1)",),
        meta={"ask": "geometric_sum", "first": first, "number": number},
    )


def _repeated(value: Fraction, ratio: Fraction, times: int) -> Fraction:
    for _ in range(times):
        value *= ratio
    return value


def _recurrent(rng: Random, difficulty: int) -> Draft:
    first, second = rng.randint(1, 5), rng.randint(1, 9)
    p, q = rng.randint(1, 3), rng.choice((-1, 1, 2))
    if (p, q) in ((1, -1), (2, -1)):
        # These two run in a circle or in a straight line.
        q = 2
    number = rng.randint(*{1: (4, 6), 2: (6, 9), 3: (9, 14)}.get(difficulty, (55, 60)))
    terms = [first, second]
    while len(terms) < number:
        terms.append(p * terms[-1] + q * terms[-2])
    sign = "-" if q < 0 else "+"
    rule = f"{_times(p)}a(n-1) {sign} {_times(abs(q))}a(n-2)"
    return Draft(
        question=(
            f"A sequence starts with a(1) = {first} and a(2) = {second}, "
            f"and a(n) = {rule} for n >= 3. What is a({number})?"
        ),
        answer=str(terms[-1]),
        rules=AnswerRules(form="number"),
        work=(f"{p}*({terms[-2]}) {sign} {abs(q)}*({terms[-3]})",),
        meta={"ask": "recurrent", "first": first, "second": second, "p": p, "q": q, "n": number},
    )


def _times(factor: int) -> str:
    return "" if factor == 1 else f"{factor}*"

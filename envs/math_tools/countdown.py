"""Countdown problems: numbers, a target, and an expression that is known to reach it."""

from random import Random

from .types import AnswerRules, Draft

_COUNT = {1: 3, 2: 4, 3: 5, 4: 6, 5: 7}
_TOP = {1: 10, 2: 25, 3: 100, 4: 9_999, 5: 9_999}


def countdown(rng: Random, difficulty: int) -> Draft:
    """Make a target from numbers, each used at most once. The answer is one of many."""
    while True:
        numbers = [rng.randint(2, _TOP[difficulty]) for _ in range(_COUNT[difficulty])]
        text, target = _combined(rng, [(str(n), n) for n in numbers])
        if _suits(target, numbers, difficulty):
            break
    listed = ", ".join(map(str, sorted(numbers)))
    return Draft(
        question=(
            f"Use the numbers {listed}, each at most once, with + - * / and brackets to make "
            f"{target}. Numbers that are listed twice may be used twice. "
            "Answer with one expression alone."
        ),
        answer=text,
        rules=AnswerRules(form="countdown", numbers=tuple(sorted(numbers)), target=target),
        work=(text,),
        meta={"numbers": listed, "target": target},
    )


def _suits(target: int, numbers: list[int], difficulty: int) -> bool:
    if difficulty <= 3:
        return 10 <= target <= 100 * difficulty**2 and target not in numbers
    return 10**9 < target < 10**15


def _combined(rng: Random, terms: list[tuple[str, int]]) -> tuple[str, int]:
    """Join two at a time until one is left; values stay whole and positive."""
    while len(terms) > 1:
        (left, a), (right, b) = (terms.pop(rng.randrange(len(terms))) for _ in range(2))
        if a < b:
            left, a, right, b = right, b, left, a
        sign, value = _joined(rng, a, b)
        terms.append((f"({left} {sign} {right})", value))
    text, value = terms[0]
    return text.removeprefix("(").removesuffix(")") if text.startswith("(") else text, value


def _joined(rng: Random, a: int, b: int) -> tuple[str, int]:
    """A sign that keeps the value whole and positive, and the value."""
    options = [("+", a + b), ("*", a * b)]
    if a > b:
        options.append(("-", a - b))
    if a % b == 0 and b > 1:
        options.append(("/", a // b))
    return rng.choice(options)

"""Generated answers by a second route: put in, counted out, listed, or left to Python."""

import itertools
import math
import re
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from gigym.envs.math_tools import DIFFICULTIES, Problem, generate, is_correct

SEEDS = range(40)


def some(kind: str, difficulty: int) -> list[Problem]:
    return [generate(kind, seed, difficulty) for seed in SEEDS]


def facts(problem: Problem) -> dict[str, Any]:
    return dict(problem.meta)


def numbers_in(text: str) -> list[int]:
    return [int(word) for word in re.findall(r"-?\d+", text)]


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_a_chain_is_what_python_makes_of_it(difficulty: int) -> None:
    for problem in some("arith_chain", difficulty):
        text = problem.question.removeprefix("Compute ").partition(". Give")[0]
        spelled = re.sub(r"(\d+)", r"Fraction(\1)", text)
        assert eval(spelled, {"Fraction": Fraction}) == Fraction(problem.answer)  # noqa: S307
        assert problem.answer == str(Fraction(problem.answer))
        low, high = {1: (2, 3), 2: (3, 5), 3: (5, 7), 4: (9, 11), 5: (11, 12)}[difficulty]
        assert low <= len(re.findall(r"\d+", text)) <= high


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_a_solution_of_equations_fits_when_put_in(difficulty: int) -> None:
    for problem in some("linear", difficulty):
        values = dict(zip(problem.rules.names, numbers_in(problem.answer), strict=True))
        lines = re.sub(r"Solve (for x|the system):? |\. Give.*", "", problem.question)
        assert len(lines.split(";")) == len(values)
        for line in lines.split(";"):
            left, right = line.split("=")
            assert _put_in(left, values) == _put_in(right, values), problem


def _put_in(side: str, values: dict[str, int]) -> int:
    spelled = re.sub(r"(\d)([xyz])", r"\1*\2", side.replace("^", "**"))
    return int(eval(spelled.strip(), dict(values)))  # noqa: S307


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_roots_fit_when_put_in(difficulty: int) -> None:
    asked: set[object] = set()
    for problem in some("quadratic", difficulty):
        side = re.search(r"(-?\d*x\^2.*) = 0", problem.question)
        assert side is not None
        spelled = re.sub(r"(\d)x", r"\1*x", side[1].replace("^", "**"))
        at = {x: Fraction(eval(spelled, {"x": x})) for x in (-1, 0, 1)}  # noqa: S307
        c, b, a = at[0], (at[1] - at[-1]) / 2, (at[1] + at[-1]) / 2 - at[0]
        asked.add(facts(problem)["ask"])
        match facts(problem)["ask"]:
            case "roots":
                told = problem.answer.strip("{}").split(", ")
                roots = {Fraction(root) for root in told}
                assert len(roots) == 2 and all(a * x * x + b * x + c == 0 for x in roots)
            case "sum":
                assert Fraction(problem.answer) == -b / a
            case _:
                assert int(problem.answer) == b * b - 4 * a * c
    assert asked == {"roots", "sum", "discriminant"}


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_remainders_come_out(difficulty: int) -> None:
    asked: set[object] = set()
    for problem in some("modular", difficulty):
        answer, meta = int(problem.answer), facts(problem)
        asked.add(meta["ask"])
        if meta["ask"] == "power":
            assert numbers_in(problem.question)[0] == meta["base"]
            assert answer == _naive_power(meta["base"], meta["exponent"], meta["modulus"])
        elif meta["ask"] == "inverse":
            assert 0 < answer < meta["modulus"]
            assert answer * meta["value"] % meta["modulus"] == 1
        else:
            moduli, remainders = meta["moduli"], meta["remainders"]
            assert [answer % m for m in moduli] == remainders
            assert 0 <= answer < math.prod(moduli)
            assert all(math.gcd(a, b) == 1 for a, b in itertools.combinations(moduli, 2))
    assert asked == {"power", "inverse", "remainders"}


def _naive_power(base: int, exponent: int, modulus: int) -> int:
    found = 1
    for _ in range(exponent):
        found = found * base % modulus
    return found


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_number_theory_by_another_way(difficulty: int) -> None:
    asked: set[object] = set()
    for problem in some("number_theory", difficulty):
        told, ask = numbers_in(problem.question), facts(problem)["ask"]
        asked.add(ask)
        match ask:
            case "gcd":
                assert int(problem.answer) == math.gcd(*told)
            case "lcm":
                assert int(problem.answer) == math.lcm(*told)
            case "digit_sum":
                base, exponent = told
                assert int(problem.answer) == _digit_sum(base**exponent)
            case "factors":
                factors = numbers_in(problem.answer)
                assert math.prod(factors) == told[0] and all(map(_is_prime, factors))
                assert factors == sorted(factors)
            case "divisors":
                assert told[0] > 10**6 or int(problem.answer) == len(_divisors(told[0]))
            case _:
                units = sum(
                    math.gcd(n, told[1]) == 1 for n in range(told[1] if told[1] < 10**5 else 0)
                )
                assert not units or int(problem.answer) == units
    assert asked == {"gcd", "lcm", "digit_sum", "factors", "divisors", "totient"}


def _digit_sum(number: int) -> int:
    return number % 10 + _digit_sum(number // 10) if number else 0


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % d for d in range(2, math.isqrt(number) + 1))


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


@cache
def _paths(right: int, up: int) -> int:
    return 1 if not right or not up else _paths(right - 1, up) + _paths(right, up - 1)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_counts_by_recurrence_and_by_listing(difficulty: int) -> None:
    asked: set[object] = set()
    for problem in some("combinatorics", difficulty):
        meta, answer = facts(problem), int(problem.answer)
        asked.add(meta["ask"])
        match meta["ask"]:
            case "choice":
                assert answer == _paths(meta["picked"], meta["total"] - meta["picked"])
            case "paths":
                assert answer == _paths(meta["right"], meta["up"])
            case "stars":
                assert answer == _paths(meta["total"], meta["kinds"] - 1)
            case _:
                word = str(meta["word"])
                assert word in problem.question
                if len(word) <= 7:
                    assert answer == len(set(itertools.permutations(word)))
    assert asked == {"choice", "paths", "stars", "letters"}


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_sequences_go_on_as_they_start(difficulty: int) -> None:
    asked: set[object] = set()
    for problem in some("sequences", difficulty):
        meta, answer = facts(problem), Fraction(problem.answer)
        asked.add(str(meta["ask"]))
        if meta["ask"] == "recurrent":
            last, this = meta["first"], meta["second"]
            for _ in range(meta["n"] - 2):
                last, this = this, meta["p"] * this + meta["q"] * last
            assert answer == this
            continue
        told = re.search(r"sequence (.*), \.\.\.", problem.question)
        assert told is not None
        first, second, third = (Fraction(term) for term in told[1].split(", "))
        step, ratio, number = second - first, second / first, meta["number"]
        arithmetic = str(meta["ask"]).startswith("arithmetic")
        assert third == (second + step if arithmetic else second * ratio)
        term = first + (number - 1) * step if arithmetic else first * ratio ** (number - 1)
        if str(meta["ask"]).endswith("term"):
            assert answer == term
        elif arithmetic:
            assert answer == (first + term) * number / 2
        else:
            assert answer == (term * ratio - first) / (ratio - 1)
    assert len(asked) >= 4


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_bases_by_python(difficulty: int) -> None:
    for problem in some("base", difficulty):
        told, meta = problem.question, facts(problem)
        if meta["ask"] == "ones":
            assert int(problem.answer) == f"{numbers_in(told)[-1]:b}".count("1")
            continue
        written = re.search(r"(?:number|digits) ([0-9a-f]+) (?:in|are)", told)
        assert written is not None
        target = problem.rules.target
        assert int(written[1], int(str(meta["source"]))) == int(problem.answer, target)
        wrong = problem.answer[:-1] + ("0" if problem.answer[-1] != "0" else "1")
        assert not is_correct(wrong, problem.answer, problem.rules)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_countdown_uses_its_numbers(difficulty: int) -> None:
    for problem in some("countdown", difficulty):
        used = sorted(numbers_in(problem.answer.replace("-", " ")))
        assert used == list(problem.rules.numbers)
        assert problem.rules.target not in problem.rules.numbers
        assert eval(problem.answer) == problem.rules.target  # noqa: S307
        assert f"to make {problem.rules.target}." in problem.question
        assert not is_correct(str(problem.rules.target), problem.answer, problem.rules)

"""Generated problems: the same everywhere, right by a second route, hard where they must be."""

import hashlib
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from typing import cast

import pytest

from gigym.envs import BadOption, UnknownTask
from gigym.envs.math_tools import (
    DIFFICULTIES,
    KINDS,
    Problem,
    calculate,
    generate,
    is_correct,
    rebuild,
)
from gigym.envs.math_tools.limits import Meter, Number
from gigym.envs.math_tools.operations import OPERATORS, Operation

SEEDS = range(40)
EVERY = [(kind, difficulty) for kind in KINDS for difficulty in DIFFICULTIES]
FINGERPRINT = "9ed52f1c4c77058726411bb6179c288b9f38243f7384a477b74dc9f10d81eb08"


def some(kind: str, difficulty: int) -> list[Problem]:
    return [generate(kind, seed, difficulty) for seed in SEEDS]


def fingerprint() -> str:
    found = hashlib.sha256()
    for kind, difficulty in EVERY:
        for seed in range(12):
            tree = asdict(generate(kind, seed, difficulty))
            found.update(json.dumps(tree, default=str, sort_keys=True).encode())
    return found.hexdigest()


def test_problems_stay_what_they_are() -> None:
    assert fingerprint() == FINGERPRINT, "a changed problem needs a changed VERSION"


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_makes_the_same_bytes(hash_seed: str) -> None:
    program = (
        "import json; from dataclasses import asdict;"
        "from gigym.envs.math_tools import KINDS, generate;"
        "found = [asdict(generate(k, s, d)) for k in KINDS for s in (4, 5) for d in (1, 5)];"
        "print(json.dumps(found, default=str))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout
    here = [asdict(generate(k, s, d)) for k in KINDS for s in (4, 5) for d in (1, 5)]
    assert json.loads(told) == json.loads(json.dumps(here, default=str))


@pytest.mark.parametrize(("kind", "difficulty"), EVERY)
def test_an_id_rebuilds_its_problem_and_the_answer_is_accepted(kind: str, difficulty: int) -> None:
    for problem in some(kind, difficulty):
        assert problem.id == f"{kind}/{difficulty}/{problem.seed}"
        assert rebuild(problem.id) == problem
        assert is_correct(problem.answer, problem.answer, problem.rules)
        assert len(problem.answer) <= 200 and problem.question.isascii()
        assert "  " not in problem.question and "{" not in problem.question


@pytest.mark.parametrize(("kind", "difficulty"), EVERY)
def test_seeds_give_different_questions(kind: str, difficulty: int) -> None:
    distinct = {problem.question for problem in some(kind, difficulty)}
    assert len(distinct) >= (10 if difficulty == 1 else 30)


@pytest.mark.parametrize(("kind", "difficulty"), EVERY)
def test_the_work_leads_to_the_answer(kind: str, difficulty: int) -> None:
    for problem in some(kind, difficulty):
        values = [calculate(expression) for expression in problem.work]
        assert 1 <= len(values) <= 4
        match problem.rules.form:
            case "number":
                assert values[-1] == Fraction(problem.answer), problem.id
            case "tuple" | "set" if problem.meta.get("ask") != "factors":
                told = re.findall(r"-?\d+(?:/\d+)?", problem.answer)
                assert values == [Fraction(number) for number in told], problem.id
            case "countdown":
                assert values == [problem.rules.target]
            case "digits":
                source, target = problem.meta["source"], problem.rules.target
                assert values[-1] == int(problem.answer, target) and isinstance(source, int)
            case _:
                assert values == [problem.meta["number"]]


@pytest.mark.parametrize(("kind", "difficulty"), [p for p in EVERY if p[1] >= 4])
def test_from_difficulty_four_on_a_tool_is_needed(
    kind: str, difficulty: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for problem in some(kind, difficulty):
        seen, operations = _weight(problem, monkeypatch)
        assert seen > 10**9 or operations > 20, problem


def _weight(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """The greatest number on the way to the answer, and the operations."""
    numbers = [int(n) for n in re.findall(r"\d+", problem.question + " " + problem.answer)]
    results: list[int] = []
    for sign, operate in list(OPERATORS.items()):
        monkeypatch.setitem(
            cast("dict[object, object]", OPERATORS), sign, _watched(operate, results)
        )
    for expression in problem.work:
        results.append(math.ceil(abs(calculate(expression))))
    monkeypatch.undo()
    return max(numbers + results), len(results)


def _watched(operate: Operation, results: list[int]) -> Operation:
    def operation(left: Number, right: Number, meter: Meter) -> Number:
        value = operate(left, right, meter)
        if not isinstance(value, float):
            results.append(max(abs(value.numerator), value.denominator))
        return value

    return operation


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: generate("words", 1, 1), "no kind of problem 'words'. Did you mean 'word'"),
        (lambda: generate("word", 1, 6), "difficulty must be 1 to 5, got 6"),
        (lambda: generate("word", 1, 0), "difficulty must be 1 to 5, got 0"),
        (lambda: generate("word", -1, 1), "must not be negative, got -1"),
    ],
)
def test_a_wrong_argument_is_told(call: Callable[[], Problem], told: str) -> None:
    with pytest.raises(BadOption, match=re.escape(told)):
        call()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "word",
        "word/3",
        "word/3/x",
        "word/9/1",
        "words/3/1",
        "word/3/-1",
        "word/3/017",
        "word/03/1",
        "word/3/1/1",
        "word/3/\u0661",
        "word/3/" + "9" * 60,
        "\ud800",
        "word/3/1 ",
    ],
)
def test_a_name_that_is_none_is_told(name: str) -> None:
    with pytest.raises(UnknownTask, match="an id is KIND/DIFFICULTY/SEED"):
        rebuild(name)

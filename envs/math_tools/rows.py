"""Rows of a data set of the user's, read into problems.

A row has `question` (or `problem`) and `answer` (or `solution`). The true answer is what stands
behind GSM8K's `####`, else in the last `\\boxed{}`, else the whole text. What an answer may look
like is set by optional columns named as the fields of `AnswerRules`, and `id` names the row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from ..errors import GameFileError
from .answers import MAX_ANSWER
from .numerals import closing_brace
from .types import FORMS, AnswerRules, Problem

Row = Mapping[str, object]

_QUESTIONS = ("question", "problem")
_ANSWERS = ("answer", "solution")


def problem_of(row: object, place: str, default_id: str) -> Problem:
    """The problem of one row. Raises `GameFileError` naming `place`, a file with its line."""
    if not isinstance(row, dict):
        raise GameFileError(f"{place}: a row must be an object, got {type(row).__name__}")
    fields = cast("dict[str, object]", row)
    question = _text(fields, _QUESTIONS, place)
    answer = true_answer(_text(fields, _ANSWERS, place))
    if not answer:
        raise GameFileError(f"{place}: the answer is empty")
    if len(answer) > MAX_ANSWER:
        raise GameFileError(
            f"{place}: the answer has {len(answer)} characters, at most {MAX_ANSWER} are compared; "
            "mark the final answer with #### or \\boxed{}"
        )
    kind, number = fields.get("kind", "data"), fields.get("difficulty", 0)
    return Problem(
        id=str(fields.get("id", default_id)),
        question=question,
        answer=answer,
        kind=kind if isinstance(kind, str) else "data",
        seed=0,
        difficulty=number if isinstance(number, int) else 0,
        rules=_rules(fields, place),
    )


def true_answer(text: str) -> str:
    """The final answer in a worked solution."""
    _, mark, behind = text.rpartition("####")
    if mark:
        return behind.strip()
    start = text.rfind("\\boxed{")
    if start >= 0:
        opened = start + len("\\boxed")
        end = closing_brace(text, opened)
        if end >= 0:
            return text[opened + 1 : end].strip()
    return text.strip()


def _text(row: Row, names: Sequence[str], place: str) -> str:
    for name in names:
        if name in row:
            value = row[name]
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            if not isinstance(value, str):
                raise GameFileError(f"{place}: {name} must be text, got {type(value).__name__}")
            return value
    found = ", ".join(map(str, row)) or "none"
    raise GameFileError(f"{place}: no key {names[0]!r} or {names[1]!r}; the keys are: {found}")


def _rules(row: Row, place: str) -> AnswerRules:
    rules = AnswerRules()
    if (form := row.get("form")) is not None:
        if form not in FORMS:
            raise GameFileError(f"{place}: form must be one of {', '.join(FORMS)}, got {form!r}")
        rules = replace(rules, form=form)
    for name in ("percent_ok", "mixed_ok"):
        if (flag := row.get(name)) is not None:
            if not isinstance(flag, bool):
                raise GameFileError(f"{place}: {name} must be true or false, got {flag!r}")
            rules = replace(rules, **{name: flag})
    rules = replace(rules, units=_words(row, "units", place), names=_words(row, "names", place))
    return replace(
        rules, tol=_tolerance(row, place), numbers=_numbers(row, place), target=_target(row, place)
    )


def _words(row: Row, name: str, place: str) -> tuple[str, ...]:
    found = row.get(name)
    words = [found] if isinstance(found, str) else ([] if found is None else found)
    if not isinstance(words, list) or not all(
        isinstance(w, str) and w for w in cast("list[object]", words)
    ):
        raise GameFileError(f"{place}: {name} must be a list of words, got {found!r:.80}")
    return tuple(cast("list[str]", words))


def _tolerance(row: Row, place: str) -> Fraction:
    found = row.get("tol")
    if found is None:
        return Fraction(0)
    try:
        tol = Fraction(str(found)) if len(str(found)) < 40 else Fraction(-1)
    except (ValueError, ZeroDivisionError):
        tol = Fraction(-1)
    if tol < 0:
        raise GameFileError(f"{place}: tol must be a number of at least 0, got {found!r:.80}")
    return tol


def _numbers(row: Row, place: str) -> tuple[int, ...]:
    found = row.get("numbers")
    numbers: object = [] if found is None else found
    if not isinstance(numbers, list) or not all(
        type(n) is int for n in cast("list[object]", numbers)
    ):
        raise GameFileError(f"{place}: numbers must be a list of whole numbers, got {found!r:.80}")
    return tuple(cast("list[int]", numbers))


def _target(row: Row, place: str) -> int:
    found = row.get("target", 0)
    if type(found) is not int:
        raise GameFileError(f"{place}: target must be a whole number, got {found!r:.80}")
    return found

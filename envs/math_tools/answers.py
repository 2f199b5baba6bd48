"""Is an answer right? Levels in order; the first that can decide does.

In: what the agent answered, the true answer, what the item allows. Out: a `Verdict`. Exact where
both are numbers written out, order-free for sets, in order for tuples, by evaluation for
countdown. Only a true answer that is none of these (`2\\sqrt{2}`, `x^2 + 1`) is handed to the
symbolic level, so that repeating a computation is never an answer to it. Model text is read by
patterns, never evaluated.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from . import countdown_check
from .lists import bracket, named, parts
from .numerals import read_number, tidy, without_units
from .types import AnswerRules, Form, Verdict

MAX_ANSWER = 200

Symbolic = Callable[[str, str], Verdict]
"""Compares two formulas: the answer given and the true one."""


def judge(
    given: str, truth: str, rules: AnswerRules | None = None, symbolic: Symbolic | None = None
) -> Verdict:
    """The verdict about an answer. Never raises, whatever was answered."""
    allowed = rules or AnswerRules()
    if len(given) > MAX_ANSWER:
        return Verdict(correct=False, level="empty")
    answer, wanted = tidy(given), tidy(truth)
    if answer.casefold() in _NEVER:
        return Verdict(correct=False, level="empty")
    form = allowed.form if allowed.form != "auto" else _form_of(wanted, allowed)
    if form is None:
        return _formula(answer, wanted, symbolic)
    return _LEVELS[form](answer, wanted, allowed)


def is_correct(given: str, truth: str, rules: AnswerRules | None = None) -> bool:
    """Whether an answer is right by the exact levels alone."""
    return judge(given, truth, rules).correct


def _form_of(wanted: str, rules: AnswerRules) -> Form | None:
    """The form a true answer is written in; None for a formula or words."""
    reading = _lenient(rules)
    if _value(wanted, reading) is not None:
        return "number"
    pieces = parts(wanted, thousands=True)
    if len(pieces) < 2 and bracket(wanted) != "{":
        return None
    if not pieces or any(_value(piece, reading) is None for piece in pieces):
        return None
    return "tuple" if bracket(wanted) == "(" else "set"


def _lenient(rules: AnswerRules) -> AnswerRules:
    """The true answer may be written in every way; only the agent's is held to the rules."""
    return AnswerRules(units=rules.units, percent_ok=True, mixed_ok=True)


def _value(part: str, rules: AnswerRules) -> Fraction | None:
    """The number of `5` or `x = 5`; None where the name is not one of the item's."""
    name, value = named(part)
    if name and rules.names and name not in rules.names:
        return None
    return read_number(value, rules)


def _number(answer: str, wanted: str, rules: AnswerRules) -> Verdict:
    value, true_value = _value(answer, rules), _value(wanted, _lenient(rules))
    if value is None or true_value is None:
        return Verdict(correct=answer == wanted, level="text")
    return Verdict(correct=abs(value - true_value) <= rules.tol, level="number")


def _set(answer: str, wanted: str, rules: AnswerRules) -> Verdict:
    true_values = _values(wanted, _lenient(rules), thousands=True)
    if bracket(answer) == "(" and len(true_values or ()) > 1:
        return Verdict(correct=False, level="set")
    readings = (_values(answer, rules, thousands=grouped) for grouped in (False, True))
    right = any(_same(found, true_values, rules.tol) for found in readings)
    return Verdict(correct=right, level="set")


def _tuple(answer: str, wanted: str, rules: AnswerRules) -> Verdict:
    true_values = _values(wanted, _lenient(rules), thousands=True)
    if bracket(answer) == "{" or true_values is None:
        return Verdict(correct=False, level="tuple")
    bare = _unnamed(answer, rules.names)
    readings = (_in_order(bare, rules, grouped) for grouped in (False, True))
    right = any(_equal(found, true_values, rules.tol) for found in readings)
    return Verdict(correct=right, level="tuple")


def _unnamed(answer: str, names: tuple[str, ...]) -> str:
    """`(x, y) = (1, 2)` without what stands before the sign, where the names are in order."""
    before, sign, behind = answer.partition("=")
    stated = tuple(part.strip() for part in before.strip().strip("()").split(","))
    return behind.strip() if sign and len(names) > 1 and stated == names else answer


def _in_order(answer: str, rules: AnswerRules, grouped: bool) -> list[Fraction] | None:
    """Values in the order of the item's names, where the answer names them."""
    pairs = [named(part) for part in parts(answer, thousands=grouped)]
    names = [name for name, _ in pairs]
    if any(names):
        if sorted(names) != sorted(rules.names):
            return None
        pairs.sort(key=lambda pair: rules.names.index(pair[0]))
    return _numbers([value for _, value in pairs], rules)


def _values(text: str, rules: AnswerRules, *, thousands: bool) -> list[Fraction] | None:
    pairs = [named(part) for part in parts(text, thousands=thousands)]
    names = {name for name, _ in pairs if name}
    if len(names) > 1 or (rules.names and not names <= set(rules.names)):
        return None
    return _numbers([value for _, value in pairs], rules)


def _numbers(pieces: list[str], rules: AnswerRules) -> list[Fraction] | None:
    found = [read_number(piece, rules) for piece in pieces]
    numbers = [value for value in found if value is not None]
    return numbers if len(numbers) == len(found) > 0 else None


def _same(found: list[Fraction] | None, true_values: list[Fraction] | None, tol: Fraction) -> bool:
    """Equal as multisets."""
    if found is None or true_values is None:
        return False
    return _equal(sorted(found), sorted(true_values), tol)


def _equal(found: list[Fraction] | None, true_values: list[Fraction], tol: Fraction) -> bool:
    if found is None or len(found) != len(true_values):
        return False
    return all(abs(a - b) <= tol for a, b in zip(found, true_values, strict=True))


_BASE_MARK = re.compile(r"(?:_\{?[0-9]{1,2}\}?|\s*\(?base [0-9]{1,2}\)?)\Z", re.ASCII)


def _digits(answer: str, wanted: str, rules: AnswerRules) -> Verdict:
    """Digits of one base: letter case and leading zeros do not count, a base mark must be right."""
    plain = without_units(_unprefixed(answer, rules.target), rules.units)
    found = _BASE_MARK.search(plain)
    if found and int("".join(filter(str.isdigit, found[0]))) != rules.target:
        return Verdict(correct=False, level="digits")
    bare = _BASE_MARK.sub("", plain).strip("() ").lower().lstrip("0") or "0"
    right = bool(re.search("[0-9a-z]", plain)) and bare == (wanted.lower().lstrip("0") or "0")
    return Verdict(correct=right, level="digits")


def _unprefixed(answer: str, base: int) -> str:
    mark = {2: "0b", 8: "0o", 16: "0x"}.get(base)
    plain = named(answer)[1].lower()
    return plain.removeprefix(mark) if mark else plain


def _countdown(answer: str, wanted: str, rules: AnswerRules) -> Verdict:
    right = countdown_check.reaches(answer, rules.numbers, rules.target)
    return Verdict(correct=right, level="countdown")


def _text(answer: str, wanted: str) -> Verdict:
    return Verdict(correct=_folded(answer) == _folded(wanted), level="text")


def _formula(answer: str, wanted: str, symbolic: Symbolic | None) -> Verdict:
    """Equal letters, or equal by the symbolic level where the shapes agree."""
    exact = _text(answer, wanted)
    if exact.correct or symbolic is None:
        return exact
    # A list offered for one formula, or the other way round, is a hedge: its shape is wrong.
    if len(parts(answer, thousands=True)) != len(parts(wanted, thousands=True)):
        return exact
    # Of a chain such as `5 = 3 = x` the library takes the last value, whatever stands before.
    if named(answer)[1].count("=") != named(wanted)[1].count("="):
        return exact
    # The library compares decimals after rounding, so a decimal would pass for a root.
    if bracket(answer) != bracket(wanted) or (_DECIMAL.fullmatch(answer) and "." not in wanted):
        return exact
    return symbolic(answer, wanted)


def _folded(text: str) -> str:
    joined = "".join(text.split()).casefold()
    # The letter of a choice is written with brackets or without.
    return joined[1] if _CHOICE.fullmatch(joined) else joined


_CHOICE = re.compile(r"\([a-z]\)", re.ASCII)
_DECIMAL = re.compile(r"[^.]*[0-9]*\.[0-9]{3,}[^.]*", re.ASCII)
_NEVER = frozenset(
    {"", *(sign + word for sign in ("", "+", "-") for word in ("nan", "inf", "infinity"))}
)
_LEVELS: dict[Form, Callable[[str, str, AnswerRules], Verdict]] = {
    "number": _number,
    "set": _set,
    "tuple": _tuple,
    "digits": _digits,
    "countdown": _countdown,
}

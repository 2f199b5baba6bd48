"""The records of the math room: a problem, how its answer is compared, what a checker found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, get_args

from ..types import JsonValue

Form = Literal["auto", "number", "set", "tuple", "digits", "countdown"]
"""How an answer is read; `auto` takes the form that the true answer is written in."""
FORMS: tuple[Form, ...] = get_args(Form)

Meta = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRules:
    """What an item allows in the writing of its answer."""

    form: Form = "auto"
    units: tuple[str, ...] = ()
    """Words or signs that may stand before or after a number, such as `apples` or `%`."""
    names: tuple[str, ...] = ()
    """Unknowns, in the order of a tuple; empty: any single letter may name the unknown."""
    percent_ok: bool = False
    """`50%` is read as 1/2."""
    mixed_ok: bool = False
    """`1 1/2` is read as 3/2."""
    tol: Fraction = Fraction(0)
    """Largest accepted difference of numbers; 0: exact."""
    numbers: tuple[int, ...] = ()
    """Countdown: the numbers that may be used, each at most once."""
    target: int = 0
    """Countdown: the value to reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a generator drew, before it has a name."""

    question: str
    answer: str
    rules: AnswerRules = AnswerRules(form="number")
    work: tuple[str, ...] = ()
    """Calculator expressions on the way to the answer, as the expert sends them."""
    meta: Meta = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One question with its exact answer."""

    id: str
    """Rebuilds the problem, such as `word/3/17`: kind, difficulty, seed."""
    question: str
    answer: str
    kind: str
    seed: int
    difficulty: int
    """1 (in the head) to 5; 0 where the source does not say."""
    rules: AnswerRules
    work: tuple[str, ...] = ()
    """Calculator expressions on the way to the answer, as the expert sends them."""
    meta: Meta = field(default_factory=dict[str, JsonValue])
    """Facts about how it was made, such as the template's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a checker found about one answer."""

    correct: bool
    level: str
    """The level that decided: `empty`, `text`, `number`, `set`, `tuple`, `digits`, `countdown`,
    `symbolic` or `scorer`.
    """
    fault: str = ""
    """Why the symbolic level gave no verdict: `timeout`, `error`, `not_installed`; else empty."""
    score: float | None = None
    """Partial credit of a data set's own scorer, where it gives one."""

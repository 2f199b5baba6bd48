"""Answers: exact, in many spellings, and never by luck, hedging or repetition."""

import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.envs.math_tools import AnswerRules, Verdict, is_correct, judge

PLAIN = AnswerRules()
NUMBER = AnswerRules(form="number")
SET = AnswerRules(form="set")
APPLES = AnswerRules(units=("apples", "apple"))
XY = AnswerRules(form="tuple", names=("x", "y"))
BINARY = AnswerRules(form="digits", target=2)
HEX = AnswerRules(form="digits", target=16)
GAME = AnswerRules(form="countdown", numbers=(3, 4, 5, 5), target=35)

RIGHT = [
    ("1,234", "1234", PLAIN),
    (r"\frac{2}{4}", "1/2", PLAIN),
    ("0.5", "1/2", PLAIN),
    ("\u22123", "-3", PLAIN),
    ("x = 2, x = -5", "{-5, 2}", PLAIN),
    ("12 apples", "12", APPLES),
    (r"\boxed{\frac{3}{7}}", "3/7", PLAIN),
    ("(-5, 2)", "(-5,2)", PLAIN),
    ("$12$", "12", NUMBER),
    (r"\$12", "12", NUMBER),
    ("12.", "12", NUMBER),
    ("+12", "12", NUMBER),
    ("- 3", "-3", NUMBER),
    ("-0", "0", NUMBER),
    (".50", "1/2", NUMBER),
    ("5.0", "5", NUMBER),
    (r"1\,234", "1234", NUMBER),
    (r"1{,}234{,}567", "1234567", NUMBER),
    ("1,234.50", "2469/2", NUMBER),
    (r"\dfrac{-3}{4}", "-3/4", NUMBER),
    (r"-\frac12", "-1/2", NUMBER),
    (r"\tfrac{6}{8}", "3/4", NUMBER),
    ("3/-4", "-3/4", NUMBER),
    ("0.5/2", "1/4", NUMBER),
    (r"\left( 3, 4 \right)", "(3, 4)", PLAIN),
    ("1.5e3", "1500", NUMBER),
    (r"1.5 \times 10^{3}", "1500", NUMBER),
    (r"2 \cdot 10^{-2}", "0.02", NUMBER),
    ("x = 5", "5", NUMBER),
    ("x=5", "5", AnswerRules(form="number", names=("x",))),
    ("5", "x = 5", PLAIN),
    ("12 apple", "12", APPLES),
    (r"12\text{ apples}", "12", APPLES),
    (r"12 \mathrm{apples}", "12", APPLES),
    ("12apples", "12", APPLES),
    ("60 km/h", "60", AnswerRules(units=("km/h", "km"))),
    ("$ 60", "60", AnswerRules(units=("$",))),
    ("25 %", "25", AnswerRules(units=("%",))),
    ("50%", "1/2", AnswerRules(percent_ok=True)),
    (r"50\%", "1/2", AnswerRules(percent_ok=True)),
    ("50%", "50%", PLAIN),
    ("1 1/2", "3/2", AnswerRules(mixed_ok=True)),
    (r"-1\frac{1}{2}", "-3/2", AnswerRules(mixed_ok=True)),
    ("3.14", "22/7", AnswerRules(tol=Fraction(1, 100))),
    ("{2, 1}", "{1, 2}", PLAIN),
    (r"\{2,1\}", "{1, 2}", PLAIN),
    ("1, 2", "{2, 1}", PLAIN),
    ("1 and 2", "{2, 1}", PLAIN),
    ("x=1 or x=2", "{2, 1}", PLAIN),
    ("1; 2", "{2, 1}", PLAIN),
    (r"x \in \{1, 2\}", "{2, 1}", PLAIN),
    (r"x = \pm 3", "{3, -3}", PLAIN),
    ("\u00b13", "{3, -3}", PLAIN),
    (r"\frac{1}{2}, 0.25", "{1/4, 1/2}", PLAIN),
    ("[2, 3, 5]", "2, 3, 5", SET),
    ("2, 2, 3", "{2, 3, 2}", SET),
    ("1, 2, and 3", "{1, 2, 3}", SET),
    ("1,234, 5", "{1234, 5}", SET),
    ("x_1 = 1, x_2 = 2", "{1, 2}", SET),
    ("x = 1, y = 2", "(1, 2)", XY),
    ("y = 2, x = 1", "(1, 2)", XY),
    ("(x, y) = (1, 2)", "(1, 2)", XY),
    ("1, 2", "(1, 2)", XY),
    ("101", "101", BINARY),
    ("0b101", "101", BINARY),
    ("101_2", "101", BINARY),
    ("101_{2}", "101", BINARY),
    ("101 (base 2)", "101", BINARY),
    ("00101", "101", BINARY),
    ("FF", "ff", HEX),
    ("0x0f", "f", HEX),
    ("0", "0", BINARY),
    ("(3 + 4) * 5", "", GAME),
    ("5 * (3 + 4) = 35", "", GAME),
    (r"(3+4) \times 5", "", GAME),
    ("[3 + 4] * 5", "", GAME),
    (
        "5 * 5 + (4 - 3) * 10",
        "",
        AnswerRules(form="countdown", numbers=(5, 5, 4, 3, 10), target=35),
    ),
    ("Monday", r"\text{Monday}", PLAIN),
    ("x^2+1", "x^2 + 1", PLAIN),
    ("B", r"\textbf{(B)}", PLAIN),
    ("(b)", "B", PLAIN),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", PLAIN),
    (r"2\sqrt{2}", r"$2 \sqrt{2}$", PLAIN),
]
WRONG = [
    ("0.3333", "1/3", PLAIN),
    ("(2,-5)", "(-5,2)", PLAIN),
    ("10**10**10", "1", PLAIN),
    ("", "1", PLAIN),
    ("  ", "0", PLAIN),
    ("nan", "nan", PLAIN),
    ("inf", "inf", PLAIN),
    ("NaN", "1", NUMBER),
    ("Infinity", "1", NUMBER),
    ("12 pears", "12", APPLES),
    ("apples", "12", APPLES),
    ("12 pineapples", "12", APPLES),
    ("50%", "1/2", PLAIN),
    ("50%", "50", PLAIN),
    ("1 1/2", "3/2", PLAIN),
    ("1 3/2", "5/2", AnswerRules(mixed_ok=True)),
    ("1 2", "12", NUMBER),
    ("1 2", "3", AnswerRules(mixed_ok=True)),
    ("12,34", "1234", NUMBER),
    ("1,2", "12", NUMBER),
    ("1_000", "1000", NUMBER),
    ("1/0", "1", NUMBER),
    ("0/0", "0", NUMBER),
    ("--3", "3", NUMBER),
    ("3 3", "3", NUMBER),
    ("y = 5", "5", AnswerRules(form="number", names=("x",))),
    ("x = 5 = 6", "6", NUMBER),
    ("5 = 5", "5", NUMBER),
    ("3.2", "22/7", AnswerRules(tol=Fraction(1, 100))),
    ("1e99999999999", "1", NUMBER),
    ("1e-99999999999", "0", NUMBER),
    ("1, 2, 2", "{1, 2}", SET),
    ("1", "{1, 2}", SET),
    ("1, 2, 3", "{1, 2}", SET),
    ("(1, 2)", "{1, 2}", SET),
    ("x = 1, y = 2", "{1, 2}", SET),
    ("{1, 2}", "(1, 2)", XY),
    ("x = 2, y = 1", "(1, 2)", XY),
    ("x = 1, x = 2", "(1, 2)", XY),
    ("x = 1", "(1, 2)", XY),
    ("101_3", "101", BINARY),
    ("", "0", BINARY),
    ("0b", "0", BINARY),
    ("-101", "101", BINARY),
    ("5", "101", BINARY),
    ("35", "", GAME),
    ("3 + 4 = 35", "", GAME),
    ("(3 + 4) * 5 = 36", "", GAME),
    ("5 * 5 + 5 * 5 - 3 * 5", "", GAME),
    ("7 * 5", "", GAME),
    ("34 + 5 - 4", "", GAME),
    ("5 ** 3 - 3 * 5 * 4", "", GAME),
    ("comb(5, 4) * (3 + 4)", "", GAME),
    ("(3 + 4) * 5 or 35", "", GAME),
    ("(3 + 4) * 5, 35", "", GAME),
    ("-3 + 4 * 5", "", GAME),
    ("__import__('os')", "", GAME),
    ("3.0 * 5 + 4 * 5", "", GAME),
    ("35 + 3 - 3", "", AnswerRules(form="countdown", numbers=(3, 3), target=35)),
    ("5 / (3 - 3)", "", AnswerRules(form="countdown", numbers=(3, 3, 5), target=35)),
    ("Tuesday", "Monday", PLAIN),
    ("A or B", "B", PLAIN),
    ("(A)(B)", "B", PLAIN),
]


@pytest.mark.parametrize(("answer", "truth", "rules"), RIGHT)
def test_a_right_answer_in_another_spelling(answer: str, truth: str, rules: AnswerRules) -> None:
    assert is_correct(answer, truth, rules)


@pytest.mark.parametrize(("answer", "truth", "rules"), WRONG)
def test_a_wrong_answer(answer: str, truth: str, rules: AnswerRules) -> None:
    assert not is_correct(answer, truth, rules)


TOWER = "10**10**10"
HEDGES = [
    "1, 2, 3 or 4",
    "3 or 4",
    "3, 4",
    "{3}, {4}",
    "{1, 2, 3, 4}",
    "3 and 4",
    "3; 4",
    "3/4 or 3",
    "not 4, so 3",
    "either 3",
    "x = 3 or x = 4",
    "x = 3, x = 4",
    r"\pm 3",
    "3 \u00b1 1",
    "3...",
    "<= 3",
    "3 < x < 4",
    ">2",
    "1 + 2",
    "9/3 * 1",
    "6 / 2 / 1",
    "2^3 - 5",
    r"\sqrt{9}",
    "3!",
    "7 % 4",
    "1+1+1",
    "three",
    "\u0663",
    "\uff13",
    "\u00b3",
    "III",
    "3 apples",
    "03x",
    "3,",
    ",3",
    "[3, 4]",
    "(3)(1)",
    "3\n4",
    "4 3",
    "lambda: 3",
    "__import__('os').getpid()",
    "answer",
    "any",
    "*",
    ".*",
    "True",
    "None",
    "3" + " " * 300 + "4",
]


@pytest.mark.parametrize("answer", HEDGES)
def test_a_hedge_or_an_unfinished_computation_is_no_number(answer: str) -> None:
    for truth in ("3", "3.0", r"\boxed{3}", "4"):
        for rules in (PLAIN, NUMBER):
            verdict = judge(answer, truth, rules, symbolic=_no_symbols)
            assert not verdict.correct, (answer, truth)


def _no_symbols(answer: str, truth: str) -> Verdict:
    raise AssertionError(f"a number must not reach the symbolic level: {answer!r}, {truth!r}")


@pytest.mark.parametrize(
    "answer",
    [TOWER, "1e999999999", "9" * 200, "(" * 200, "{" * 200, r"\frac{" * 33, "1," * 100],
)
def test_a_hostile_answer_is_judged_in_no_time(answer: str) -> None:
    def once(truth: str, rules: AnswerRules) -> float:
        start = time.perf_counter()
        assert not is_correct(answer, truth, rules)
        return time.perf_counter() - start

    for truth, rules in (("1", PLAIN), ("{1, 2}", SET), ("(1, 2)", XY), ("", GAME), ("1", HEX)):
        assert min(once(truth, rules) for _ in range(5)) < (0.001 if answer == TOWER else 0.01)


def test_more_than_two_hundred_characters_are_not_read() -> None:
    assert not is_correct("0" * 200 + "7", "7") and is_correct("0" * 199 + "7", "7")


def test_the_level_that_decided_is_told() -> None:
    levels = {
        judge(answer, truth, rules).level
        for answer, truth, rules in (
            ("", "1", PLAIN),
            ("1", "1", PLAIN),
            ("1, 2", "{1, 2}", PLAIN),
            ("(1, 2)", "(1, 2)", PLAIN),
            ("a", "b", PLAIN),
            ("1", "1", BINARY),
            ("3", "", GAME),
        )
    }
    assert levels == {"empty", "number", "set", "tuple", "text", "digits", "countdown"}


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10**6))
def test_a_number_equals_its_spellings_and_not_its_neighbour(value: Fraction) -> None:
    top, below = value.numerator, value.denominator
    for spelling in (f"{top}/{below}", rf"\frac{{{top}}}{{{below}}}", f"x = {2 * top}/{2 * below}"):
        assert is_correct(spelling, f"{top}/{below}", NUMBER)
    assert not is_correct(f"{top + 1}/{below}", f"{top}/{below}", NUMBER)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.sampled_from([PLAIN, NUMBER, SET, XY, BINARY, GAME]))
def test_any_text_gets_a_verdict(answer: str, rules: AnswerRules) -> None:
    assert judge(answer, "(7, 9)" if rules is XY else "7", rules).level

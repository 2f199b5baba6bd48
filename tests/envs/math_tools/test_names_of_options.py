"""Options that are lists of names, and words that are no answer to anything."""

import pytest

import gigym
from gigym.envs.errors import BadOption
from gigym.envs.math_tools.answers import is_correct, judge
from gigym.envs.math_tools.types import AnswerRules, Verdict
from gigym.envs.types import JsonValue


@pytest.mark.parametrize("option", ["kinds", "tools"])
@pytest.mark.parametrize("given", [5, None, [1], {"word": 1}, ["word", None]])
def test_a_list_of_names_holds_names_only(option: str, given: JsonValue) -> None:
    with pytest.raises(BadOption, match=f"MathTools-v0: option {option} must be names"):
        gigym.make("MathTools-v0", **{option: given})


def test_names_may_be_a_text_or_a_list() -> None:
    by_text = gigym.make("MathTools-v0", kinds=" word, linear ", tools="calculator")
    by_list = gigym.make("MathTools-v0", kinds=["word", "linear"], tools=["calculator"])
    assert by_text.start(4).observation == by_list.start(4).observation


@pytest.mark.parametrize(
    "word", ["nan", "NaN", "NAN", "-nan", "inf", "INF", "Infinity", "-Infinity"]
)
@pytest.mark.parametrize("truth", ["1", "nan", "Infinity", "inf"])
def test_no_number_and_no_end_is_never_right(word: str, truth: str) -> None:
    assert not is_correct(word, truth)


@pytest.mark.parametrize("answer", [r"5 = 3 = \sqrt{8}", r"3 = \sqrt{8}", r"\sqrt{8} = 3"])
def test_a_false_equation_is_no_answer_to_a_formula(answer: str) -> None:
    assert not judge(answer, r"2\sqrt{2}", symbolic=_always).correct


def test_a_named_formula_reaches_the_symbolic_level() -> None:
    assert judge(r"x = \sqrt{8}", r"2\sqrt{2}", symbolic=_always).correct


def _always(answer: str, truth: str) -> Verdict:
    return Verdict(correct=True, level="symbolic")


def test_a_named_tuple_is_read_in_the_order_of_its_names() -> None:
    pair = AnswerRules(form="tuple", names=("x", "y"))
    assert is_correct("(x, y) = (1, 2)", "(1, 2)", pair)
    assert not is_correct("(y, x) = (1, 2)", "(1, 2)", pair)
    assert not is_correct("(x, y) = (2, 1)", "(1, 2)", pair)


def test_a_comma_at_the_edge_groups_nothing() -> None:
    assert not is_correct(",123", "123") and is_correct("1,234", "1234")

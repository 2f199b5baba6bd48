"""Word problems: reviewed templates, right grammar, distractors that distract and no more."""

import re
from fractions import Fraction
from random import Random

import pytest

from gigym.envs.math_tools import calculate
from gigym.envs.math_tools.problems import TEMPLATES
from gigym.envs.math_tools.word import Dice, Template, decimal, plural, told


def drawn(template: Template) -> list[tuple[int, dict[str, int]]]:
    low, high = template.levels
    return [
        (level, template.draw(Dice(Random(f"{template.name}:{seed}"), level)))
        for level in range(low, high + 1)
        for seed in range(60)
    ]


def test_there_are_enough_templates_for_every_difficulty() -> None:
    names = [template.name for template in TEMPLATES]
    assert len(names) == len(set(names)) >= 20
    assert {template.steps for template in TEMPLATES} == {1, 2, 3, 4, 5, 6}
    for level in range(1, 6):
        assert sum(t.levels[0] <= level <= t.levels[1] for t in TEMPLATES) >= 8


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_two_routes_give_one_answer_that_makes_sense(template: Template) -> None:
    for _, values in drawn(template):
        answer = Fraction(template.solve(values))
        assert calculate(template.work.format_map(values)) == answer > 0, values
        assert (answer * 100).denominator == 1
        assert all(value >= 1 for value in values.values()), values


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_every_number_of_the_work_is_told(template: Template) -> None:
    needed = set(re.findall(r"\{(\w+)\}", template.work))
    assert needed <= set(re.findall(r"\{(\w+)[:}]", template.text + template.question))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_the_text_is_good_english(template: Template) -> None:
    for seed in range(40):
        for level in range(template.levels[0], template.levels[1] + 1):
            draft = told(template, Random(f"{template.name}:{level}:{seed}"), level)
            text = draft.question
            assert text.endswith("?") and text[0].isupper() and not re.search(r"[{}|]|  ", text)
            for number, noun in re.findall(r"\b(\d+) ([a-z]+)", text):
                if noun in _ONES:
                    assert number == "1", text
                if number == "1":
                    assert not noun.endswith("s"), text
            names = re.findall(r"\b[A-Z][a-z]{2,}\b", text)
            assert names


_ONES = {"apple", "crate", "child", "day", "dollar", "hour", "kilometre", "litre", "person", "year"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
def test_distractors_come_from_difficulty_two_on_and_change_nothing(template: Template) -> None:
    for level in range(template.levels[0], template.levels[1] + 1):
        draft = told(template, Random(f"{template.name}:{level}"), level)
        extra = draft.meta["distractors"]
        assert extra == {1: 0, 3: 1, 4: 2, 5: 2}.get(level, extra)
        plain = told(template, Random(f"{template.name}:{level}"), level)
        assert calculate(draft.work[0]) == Fraction(plain.answer)


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("apple", "apples"),
        ("box of tea", "boxes of tea"),
        ("loaf of bread", "loaves of bread"),
        ("person", "people"),
        ("child", "children"),
        ("day", "days"),
        ("berry", "berries"),
        ("brush", "brushes"),
        ("toy", "toys"),
    ],
)
def test_plurals(noun: str, many: str) -> None:
    assert plural(noun) == many


@pytest.mark.parametrize(
    ("value", "shown"),
    [("5", "5"), ("1/2", "0.5"), ("1/4", "0.25"), ("-7/2", "-3.5"), ("10", "10")],
)
def test_answers_are_short_decimals(value: str, shown: str) -> None:
    assert decimal(Fraction(value)) == shown
    with pytest.raises(ValueError, match="at most two decimals"):
        decimal(Fraction(1, 3))

"""Goals, their order, their splits and their price bounds."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
from small_shop import LAMP, SHIRT, small_shop

from gigym.envs.errors import BadOption
from gigym.envs.webshop import (
    CatalogueError,
    GoalList,
    Instruction,
    Product,
    human_goals,
    synthetic_goals,
)
from gigym.envs.webshop.goals import parts, position, shuffled
from gigym.envs.webshop.prices import NO_BOUND, midpoint_of, price_bound, price_of

WISH = Instruction(text="Find me a shirt", attributes=("machine wash",))


def test_the_small_set_makes_6910_goals_in_the_known_order(
    real_products: tuple[Product, ...], real_wishes: dict[str, Instruction]
) -> None:
    goals = synthetic_goals(real_products, real_wishes, price_of)
    assert len(real_wishes) == 415 and len(goals) == 6_910
    assert Counter(len(goal.options) for goal in goals) == {0: 185, 1: 538, 2: 4_729, 3: 1_458}
    assert sum(goal.price_upper == NO_BOUND for goal in goals) == 15
    assert len({goal.id for goal in goals}) == 6_910
    order = {goal.id: index for index, goal in enumerate(goals)}
    first = [order[goal.id] for goal in shuffled(goals)[:10]]
    assert first == [3963, 2638, 2193, 1856, 4358, 6149, 2504, 3220, 705, 1072]


def test_a_recorded_goal_is_made_again(
    real_products: tuple[Product, ...],
    real_wishes: dict[str, Instruction],
    recordings: list[dict[str, dict[str, object]]],
) -> None:
    """All but the price bound, which the original draws anew in every process."""
    goals = synthetic_goals(real_products, real_wishes, price_of)
    made = {(goal.asin, goal.option_names, goal.options): goal for goal in goals}
    matched = 0
    for episode in recordings:
        goal = episode["goal"]
        if not isinstance(options := goal["goal_options"], dict):
            continue
        own = made[str(goal["asin"]), tuple(options), tuple(options.values())]
        assert (
            own.text.split(", and price")[0]
            == str(goal["instruction_text"]).split(", and price")[0]
        )
        assert list(own.attributes) == goal["attributes"]
        assert own.weight == pytest.approx(goal["weight"])
        matched += 1
    assert matched == 26


def test_a_synthetic_goal_is_made_of_each_choice_of_options() -> None:
    goals = synthetic_goals([SHIRT, LAMP], {SHIRT.asin: WISH}, price_of)
    assert [goal.id for goal in goals] == [f"B000SHIRT1/{number}" for number in range(6)]
    first = goals[0]
    assert first.option_names == ("color", "size") and first.options == ("black", "small")
    clause = f", and price lower than {first.price_upper:.2f} dollars"
    assert first.text == f"Find me a shirt with color: black, and size: small{clause}"


def test_a_rare_attribute_weighs_more() -> None:
    other = replace(WISH, attributes=("machine wash", "brass"))
    plain = replace(SHIRT, options=())
    goals = synthetic_goals([plain, LAMP], {plain.asin: WISH, LAMP.asin: other}, price_of)
    assert goals[0].weight == 1 / 5
    assert goals[1].weight == pytest.approx((1 / 5 + 1 / 4) / 2)


def test_human_goals_are_lists_and_skip_wishes_without_attributes() -> None:
    wishes = (
        Instruction(text="a black shirt..", attributes=("machine wash",), options=("black",)),
        Instruction(text="a shirt", attributes=()),
    )
    (goal,) = human_goals([SHIRT, LAMP], {SHIRT.asin: wishes}, price_of)
    assert goal.text.startswith("a black shirt, and price lower than ")
    assert (goal.options, goal.option_names, goal.weight) == (("black",), (), 1.0)


def test_bounds_are_near_above_the_price_and_the_same_in_every_process() -> None:
    for number in range(200):
        bound, text = price_bound(str(number), 23.99)
        assert bound in (40.0, 50.0, 60.0) and text == f", and price lower than {bound:.2f} dollars"
    assert price_bound("B000SHIRT1", 19.0) == (50.0, ", and price lower than 50.00 dollars")
    assert price_bound("x", 970.0)[0] == 990.0
    assert price_bound("x", 980.0) == (NO_BOUND, "") == price_bound("x", 1_500.0)


def test_a_price_is_one_number_even_of_a_range() -> None:
    assert price_of(SHIRT) == 19.0 and price_of(replace(SHIRT, prices=())) == 100.0
    assert 35.0 <= price_of(LAMP) <= 45.0
    assert price_of(LAMP) == price_of(replace(LAMP, title="another")) and midpoint_of(LAMP) == 40.0


def test_options_without_number_are_refused_before_they_fill_the_memory() -> None:
    many = tuple((f"group {n}", tuple(map(str, range(50)))) for n in range(10))
    with pytest.raises(CatalogueError, match=r"B000SHIRT1: its options can be combined in 97656"):
        synthetic_goals([replace(SHIRT, options=many)], {SHIRT.asin: WISH}, price_of)


@pytest.mark.parametrize(
    ("count", "sizes"), [(6_910, (500, 1_000, 5_410)), (700, (500, 200, 0)), (3, (3, 0, 0))]
)
def test_the_splits_of_the_paper_part_all_goals(count: int, sizes: tuple[int, ...]) -> None:
    (goal, *_) = synthetic_goals([SHIRT], {SHIRT.asin: WISH}, price_of)
    goals = GoalList([replace(goal, id=str(number)) for number in range(count)])
    splits = [goals.split(name) for name in ("test", "dev", "train")]
    assert tuple(map(len, splits)) == sizes
    assert list(itertools.chain(*splits)) == list(range(count))


def test_joined_splits_are_counted_round_one_after_the_other() -> None:
    goals = small_shop().goals
    chosen = parts(goals, "test+train")
    assert [position(chosen, number) for number in range(-1, 5)] == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ("trian", "no split 'trian'. Did you mean 'train'? Its splits: train, dev, test"),
        ("", "no split ''"),
        ("train+train", "several different ones"),
        ("train+eval", "no split 'train+eval'"),
    ],
)
def test_an_unknown_split_is_told_with_those_there_are(split: str, told: str) -> None:
    with pytest.raises(BadOption, match=told.replace("+", r"\+").replace("?", r"\?")):
        parts(small_shop().goals, split)


def test_an_empty_split_is_told_with_the_sizes_of_all() -> None:
    with pytest.raises(BadOption, match=r"'train' of this shop is empty.* train 0, dev 0, test 0"):
        parts(GoalList(()), "train")

"""The reward of a purchase: recorded vectors, and a word on each quirk."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_shop import LAMP_GOAL, SHIRT_GOAL, recorded_goal, small_shop

from gigym.envs.webshop import GoalList, Instruction, Product, Shelf, judge, synthetic_goals
from gigym.envs.webshop.colors import COLORS, base_color, paired_color
from gigym.envs.webshop.likeness import token_set_ratio
from gigym.envs.webshop.nouns import title_nouns
from gigym.envs.webshop.prices import price_of


def test_every_vector_has_its_reward_and_parts(
    recorded_shop: Shelf, reward_vectors: list[dict[str, Any]]
) -> None:
    assert len(reward_vectors) == 20
    for vector in reward_vectors:
        chosen = tuple(vector["chosen_options"].values())
        bought = recorded_shop.index_of(vector["buy"])
        verdict = judge(recorded_shop, recorded_goal(vector["goal"]), bought, chosen)
        parts = vector["parts"]
        assert verdict.score == pytest.approx(vector["reward"], abs=1e-6), vector["label"]
        assert verdict.attributes == parts["n_attr"] and verdict.options == parts["n_opt"]
        assert verdict.price == bool(parts["r_price"]) and verdict.kind == parts["r_type"]
        assert verdict.title_score == pytest.approx(parts["title_score"], abs=1e-4)
        assert verdict.query_match == parts["query_match"]
        assert verdict.category_match == parts["category_match"]


@pytest.mark.parametrize(
    ("bought", "chosen", "dict_form", "bound", "expected"),
    [
        ("B08ZRR3DZT", ("black", "x-large"), True, 60.0, 5 / 5),
        ("B08ZRR3DZT", ("black",), True, 60.0, 4 / 5),
        ("B08ZRR3DZT", (), True, 60.0, 3 / 5),
        ("B08ZRR3DZT", ("black", "large"), True, 60.0, 5 / 5),
        ("B08ZRR3DZT", ("black", "x-large"), True, 10.0, 4 / 5),
        ("B08ZRR3DZT", ("black", "x-large"), True, 23.99, 5 / 5),
        ("B08ZRR3DZT", ("black", "large"), False, 60.0, 5 / 5),
    ],
)
def test_the_table_of_hand_checks_holds(
    recorded_shop: Shelf,
    bought: str,
    chosen: tuple[str, ...],
    dict_form: bool,
    bound: float,
    expected: float,
) -> None:
    tree = {
        "asin": "B08ZRR3DZT",
        "attributes": ["polyester spandex", "daily wear"],
        "goal_options": {"color": "black", "size": "x-large"}
        if dict_form
        else ["black", "x-large"],
        "price_upper": bound,
    }
    index = recorded_shop.index_of(bought)
    assert judge(recorded_shop, recorded_goal(tree), index, chosen).score == expected


def test_the_own_product_reaches_the_known_ceiling(
    real_products: tuple[Product, ...], real_wishes: dict[str, Instruction]
) -> None:
    goals = synthetic_goals(real_products, real_wishes, price_of)
    shop = Shelf(real_products, GoalList(goals))
    own = [(goal, shop.index_of(goal.asin)) for goal in goals]
    quirky = sum(judge(shop, goal, index, goal.options).score == 1.0 for goal, index in own)
    listed = sum(
        judge(shop, replace(goal, option_names=()), index, goal.options).won for goal, index in own
    )
    repaired = sum(
        judge(shop, goal, index, goal.options, fix_option_match=True).won for goal, index in own
    )
    assert (quirky, listed, repaired) == (6_452, 6_910, 6_910)


def test_large_passes_for_x_large_only_where_names_are_compared_too() -> None:
    shop = small_shop()
    named = replace(SHIRT_GOAL, options=("large",), option_names=("size",))
    wider = replace(SHIRT_GOAL, options=("x-large",), option_names=("size",))
    assert judge(shop, wider, 0, ("large",)).options == 1
    assert judge(shop, named, 0, ("x-large",)).options == 0
    assert judge(shop, replace(named, option_names=()), 0, ("x-large",)).options == 1
    assert judge(shop, named, 0, ("x-large",), fix_option_match=True).options == 1


def test_one_choice_may_serve_several_wishes_and_surplus_costs_nothing() -> None:
    shop = small_shop()
    goal = replace(SHIRT_GOAL, options=("navy blue", "sky blue"))
    assert judge(shop, goal, 0, ("light dark blue",)).options == 2
    assert judge(shop, goal, 0, ("light blue", "x-large", "small")).options == 2
    assert judge(shop, goal, 0, ()).options == 0


def test_another_kind_of_article_earns_nothing() -> None:
    shop = small_shop()
    verdict = judge(shop, LAMP_GOAL, 0, ())
    assert (verdict.title_score, verdict.kind, verdict.score) == (0.0, 0.0, 0.0)


def test_a_goal_title_without_nouns_counts_as_a_weak_match() -> None:
    shop = Shelf(
        [small_shop().product(0), replace(small_shop().product(1), title="12 x 5", query="q")],
        GoalList([LAMP_GOAL], {"train": range(1)}),
    )
    verdict = judge(shop, LAMP_GOAL, 0, ())
    assert (verdict.title_score, verdict.kind) == (0.2, 0.5)


def test_an_attribute_counts_in_the_list_the_title_the_bullets_or_the_description() -> None:
    shop = small_shop()
    wishes = ("spandex cotton", "harbor mens", "machine wash", "for the harbor", "waterproof")
    goal = replace(SHIRT_GOAL, attributes=wishes, options=())
    assert judge(shop, goal, 0, ()).attributes == 4


def test_color_words_are_the_recorded_ones(shop_data: Path) -> None:
    assert list(COLORS) == json.loads((shop_data / "color_words.json").read_text())


@pytest.mark.parametrize(
    ("value", "base"),
    [
        ("dark blue", "blue"),
        ("infrared", "red"),
        ("christmasgoo1729", "christmas"),
        ("titanium", "tan"),
        ("washed", "ash"),
        ("10x12", "10x12"),
    ],
)
def test_a_value_is_reduced_to_its_first_color_word(value: str, base: str) -> None:
    assert base_color(value) == base


def test_a_named_value_is_reduced_only_where_it_equals_a_color_word() -> None:
    assert paired_color("color", "black") == "black"
    assert paired_color("color", "light blue") == "('color', 'light blue')"


def test_ratios_are_those_of_the_original_library() -> None:
    assert token_set_ratio("rubber outsole", "rubber sole") == 88
    assert token_set_ratio("('size', 'x-large')", "large") == 100
    assert token_set_ratio("('size', 'large')", "x-large") == 83
    assert token_set_ratio("", "") == 0


def test_nouns_leave_out_function_words_adjectives_and_units() -> None:
    title = "2 Pack Premium Leather Wallet for Men, 12 oz Black with Wallet Chain"
    assert title_nouns(title) == ("pack", "leather", "wallet", "men", "wallet", "chain")

"""The synthetic shop: same bytes everywhere, solvable goals, near-duplicates that tell apart."""

import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.envs import BadOption
from gigym.envs.webshop.colors import base_color
from gigym.envs.webshop.likeness import alike
from gigym.envs.webshop.prices import price_of
from gigym.envs.webshop.reward import judge
from gigym.envs.webshop.shelf import Shelf
from gigym.envs.webshop.synthetic import (
    families,
    goals,
    products,
    split_of,
    synthetic_shop,
)
from gigym.envs.webshop.tables import Kind, kinds
from gigym.envs.webshop.types import Goal, Product
from gigym.envs.webshop.wishes import TEMPLATES, words_of_wishes

FINGERPRINT = """
import hashlib
from gigym.envs.webshop.synthetic import goals, products
text = repr([*products(7, 300), *goals(7, 300)])
print(hashlib.sha256(text.encode()).hexdigest())
"""


def small_shop(seed: int = 3, size: int = 400) -> Shelf:
    return synthetic_shop(seed, size)


def test_the_default_shop_has_two_thousand_products_of_96_kinds_in_12_categories() -> None:
    shop = synthetic_shop()
    assert len(shop) == 2_000
    rows = [shop.product(index) for index in range(len(shop))]
    assert len({row.category for row in rows}) == 12
    assert len({row.query for row in rows}) == 96
    assert len({row.asin for row in rows}) == len({row.title for row in rows}) == 2_000
    assert all(len(row.asin) == 10 and row.asin.isupper() for row in rows)


def test_the_shop_is_made_once_per_process() -> None:
    assert synthetic_shop(3, 400) is synthetic_shop(3, 400)


def test_another_process_with_another_hash_seed_draws_the_same_bytes() -> None:
    text = repr([*products(7, 300), *goals(7, 300)])
    here = hashlib.sha256(text.encode()).hexdigest()
    for hash_seed in ("0", "4711"):
        there = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == here


def test_seeds_give_different_shops() -> None:
    first, second = ({row.asin for row in products(seed, 200)} for seed in (1, 2))
    assert not first & second


@given(seed=st.integers(0, 10**9), size=st.integers(2, 60))
@settings(max_examples=30, deadline=None)
def test_every_size_is_met_and_no_family_has_a_single_member(seed: int, size: int) -> None:
    drawn = list(families(seed, size))
    assert sum(len(family.products) for family in drawn) == size
    assert min(len(family.products) for family in drawn) >= 2
    asins = [row.asin for family in drawn for row in family.products]
    assert len(set(asins)) == size


def test_a_smaller_shop_is_the_beginning_of_a_larger_one() -> None:
    assert [*products(5, 700)][:600] == [*itertools.islice(products(5, 10_000), 600)]


def test_a_shop_of_one_product_is_refused() -> None:
    with pytest.raises(BadOption, match="at least 2 products, got size=1"):
        next(products(0, 1))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.head)
def test_no_attribute_and_no_option_of_a_kind_passes_for_another(kind: Kind) -> None:
    names = [phrase.name for phrase in kind.phrases]
    assert 15 <= len(names) <= 25
    for left, right in itertools.combinations(names, 2):
        assert not alike(left, right), (left, right)
        assert left not in right and right not in left
    values = [value for _, group in kind.groups for value in group]
    assert 1 <= len(kind.groups) <= 3
    for left, right in itertools.combinations(values, 2):
        assert not alike(base_color(left), base_color(right)), (left, right)


def test_the_texts_of_a_product_hold_its_attributes_and_no_others() -> None:
    for family in families(11, 3_000):
        for row in family.products:
            text = " ".join([row.title, *row.bullets, row.description]).lower()
            held = {p.name for p in family.kind.phrases if p.name in text}
            assert held == set(row.attributes), row


def test_near_duplicates_differ_in_exactly_one_of_attribute_options_price() -> None:
    for family in families(2, 1_000):
        base = family.products[0]
        for row in family.products[1:]:
            differs = [
                len(set(base.attributes) - set(row.attributes)),
                sum(a != b for a, b in zip(base.options, row.options, strict=True)),
                int(base.prices != row.prices),
            ]
            assert sorted(differs) == [0, 0, 1], (base, row)


def test_two_kinds_of_one_family_of_articles_share_two_category_levels() -> None:
    paths = Counter(tuple(kind.path.split(" \u203a ")[:2]) for kind in kinds())
    assert max(paths.values()) >= 3
    assert all(3 <= len(kind.path.split(" \u203a ")) <= 4 for kind in kinds())


def wanted(shop: Shelf, goal: Goal) -> float:
    return judge(shop, goal, shop.index_of(goal.asin), goal.options).score


def test_buying_a_goals_own_product_with_its_options_scores_one() -> None:
    shop = synthetic_shop()
    assert len(shop.goals) == 6_000
    assert {wanted(shop, shop.goals[index]) for index in range(len(shop.goals))} == {1.0}


def best_score(shop: Shelf, goal: Goal, row: Product) -> float:
    """What the product is worth at best: each wanted value chosen where it is offered."""
    offered = {value for _, values in row.options for value in values}
    chosen = [value for value in goal.options if value in offered]
    others = [values[0] for _, values in row.options if not set(values) & set(chosen)]
    return judge(shop, goal, shop.index_of(row.asin), [*chosen, *others]).score


@pytest.mark.parametrize("seed", [0, 3])
def test_every_goal_has_a_distractor_in_its_own_family_that_scores_between(seed: int) -> None:
    shop = synthetic_shop(seed, 400)
    home = {row.asin: family for family in families(seed, 400) for row in family.products}
    for index in range(len(shop.goals)):
        goal = shop.goals[index]
        rivals = (row for row in home[goal.asin].products if row.asin != goal.asin)
        assert any(0.0 < best_score(shop, goal, row) < 1.0 for row in rivals), goal


def test_goals_ask_for_two_to_four_attributes_one_value_per_group_and_a_bound() -> None:
    rows = {row.asin: row for row in products(3, 400)}
    for goal in goals(3, 400):
        row = rows[goal.asin]
        assert 2 <= len(goal.attributes) <= 4 and set(goal.attributes) <= set(row.attributes)
        assert len(goal.options) == len(row.options) and goal.option_names == ()
        for value, (_, values) in zip(goal.options, row.options, strict=True):
            assert value in values
        assert price_of(row) < goal.price_upper <= price_of(row) + 50.0
        assert goal.text.endswith(f", and price lower than {goal.price_upper:.2f} dollars")


def test_instructions_name_every_attribute_and_option_in_lower_case() -> None:
    for goal in goals(4, 1_000):
        assert goal.text == goal.text.lower()
        for phrase in (*goal.attributes, *goal.options):
            assert phrase in goal.text, goal
        assert "  " not in goal.text and " ," not in goal.text and "{" not in goal.text


def test_instructions_come_from_at_least_twelve_templates_all_in_use() -> None:
    assert len(set(TEMPLATES)) >= 12
    texts = [goal.text for goal in goals(0, 2_000)]
    openings = {template.split("{")[0] for template in TEMPLATES}
    assert all(any(text.startswith(opening) for text in texts) for opening in openings)
    assert len(set(texts)) > 0.99 * len(texts)


def test_splits_are_a_tenth_a_tenth_and_the_rest_and_partition_the_goals() -> None:
    shop = synthetic_shop()
    parts = {name: set(shop.goals.split(name)) for name in ("train", "dev", "test")}
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == 6_000
    assert len(parts["test"]) == pytest.approx(600, abs=75)
    assert len(parts["dev"]) == pytest.approx(600, abs=75)
    index = min(parts["test"])
    assert split_of(0, shop.goals[index].id) == "test"


def test_searching_the_exact_title_finds_the_product_first() -> None:
    shop = synthetic_shop()
    sample = range(0, len(shop), 7)
    first = sum(shop.search(shop.product(index).title)[:1] == (index,) for index in sample)
    assert first >= 0.95 * len(sample)


def test_the_words_of_instructions_are_listed_for_tokenizers() -> None:
    words = words_of_wishes()
    assert "i am looking for" in words and all(word == word.strip() for word in words)

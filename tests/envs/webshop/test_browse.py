"""The grammar of actions, the clickables of each page, and what leads where."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_shop import LAMP_GOAL, SHIRT_GOAL, small_shop

from gigym.envs.webshop import Shelf
from gigym.envs.webshop.browse import MAX_KEYWORDS, answer, split_action
from gigym.envs.webshop.pages import (
    Done,
    Index,
    Item,
    Results,
    Rules,
    Session,
    SubPage,
    clickables,
    shown,
    state_key,
)

RULES = Rules()
SHIRT_PAGE = ("search[<q> men's shirts]", "click[b000shirt1]")


def walk(shop: Shelf, *actions: str, rules: Rules = RULES) -> Session:
    session = Session(goal=SHIRT_GOAL, number=0)
    for action in actions:
        session = answer(shop, session, action, rules)
    return session


@given(st.text(alphabet="a[]\n \r\u2028", max_size=12))
@settings(max_examples=600, derandomize=True, database=None)
def test_actions_are_parted_as_the_pattern_of_the_original_does(action: str) -> None:
    match = re.match(r"(.+)\[(.+)\]", action)
    assert split_action(action) == (match.groups() if match else ("", ""))


def test_a_hostile_action_is_parted_in_linear_time() -> None:
    assert split_action("[" * 1_000_000) == ("", "")
    assert split_action("a" + "[" * 500_000 + "]" * 500_000)[1].startswith("]")


@pytest.mark.parametrize(
    "action",
    [
        "",
        "look",
        "search",
        "search[]",
        "click[]",
        "Search[shirt]",
        "Click[buy now]",
        "search shirt]",
        "search[shirt",
        " search[shirt]",
        "search [shirt]",
        "search\n[shirt]",
        "search[shirt\n]",
        "click[search]",
        "click[b000nowhere]",
        "click[ features]",
        "click[brass]",
        "buy[now]",
        f"search[{'x' * (MAX_KEYWORDS + 1)}]",
    ],
)
@pytest.mark.parametrize("way", [(), SHIRT_PAGE[:1], SHIRT_PAGE, (*SHIRT_PAGE, "click[features]")])
def test_what_is_no_action_changes_nothing(shop: Shelf, way: tuple[str, ...], action: str) -> None:
    session = walk(shop, *way)
    assert answer(shop, session, action, RULES) is session


@pytest.mark.parametrize("way", [(), SHIRT_PAGE[:1], SHIRT_PAGE, (*SHIRT_PAGE, "click[features]")])
def test_a_search_is_taken_on_any_page_and_clears_product_and_options(
    shop: Shelf, way: tuple[str, ...]
) -> None:
    session = walk(shop, *way, "search[Brass LAMP] and thanks")
    assert isinstance(session.page, Results)
    assert (session.page.keywords, session.page.number) == ("brass lamp", 1)
    assert session.page.found[0] == shop.index_of("B000LAMP01")


def test_the_name_is_case_sensitive_and_the_argument_is_not(shop: Shelf) -> None:
    page = walk(shop, "search[<q> Men's SHIRTS]", "click[B000shirt1]", "click[X-Large]").page
    assert isinstance(page, Item) and page.chosen == (("size", "x-large"),)


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        ((), "search"),
        (("search[shirt]", "click[next >]"), "back to search|< prev|next >|ids"),
        (("search[nothing-at-all]",), "back to search|next >"),
        (
            SHIRT_PAGE,
            "back to search|< prev|description|features|reviews|buy now|"
            "small|x-large|black|light blue",
        ),
        ((*SHIRT_PAGE, "click[reviews]"), "back to search|< prev"),
        ((*SHIRT_PAGE, "click[buy now]"), ""),
    ],
)
def test_each_page_has_its_clickables_in_order(
    shop: Shelf, actions: tuple[str, ...], names: str
) -> None:
    page = walk(shop, *actions).page
    ids = (
        [shop.product(i).asin.lower() for i in shown(page, RULES)]
        if isinstance(page, Results)
        else []
    )
    expected = [part for part in names.split("|") if part not in ("", "ids")] + ids
    assert list(clickables(shop, page, RULES)) == expected


def test_attributes_have_a_button_only_where_they_are_shown(shop: Shelf) -> None:
    page = walk(shop, *SHIRT_PAGE).page
    assert "attributes" in clickables(shop, page, Rules(show_attributes=True))
    assert walk(shop, *SHIRT_PAGE, "click[attributes]").page == page
    told = walk(shop, *SHIRT_PAGE, "click[attributes]", rules=Rules(show_attributes=True)).page
    assert isinstance(told, SubPage) and told.name == "Attributes"


def test_a_value_of_two_groups_belongs_to_the_last_one(shop: Shelf) -> None:
    page = walk(shop, *SHIRT_PAGE, "click[small]").page
    assert isinstance(page, Item) and page.chosen == (("color", "small"),)


def test_a_later_value_of_a_group_replaces_the_earlier_one_in_its_place(shop: Shelf) -> None:
    way = (*SHIRT_PAGE, "click[x-large]", "click[black]", "click[light blue]")
    page = walk(shop, *way, rules=Rules(keep_order=True)).page
    assert isinstance(page, Item)
    assert page.chosen == (("size", "x-large"), ("color", "light blue"))


def test_all_ways_to_a_page_end_in_one_session_unless_they_are_shown(shop: Shelf) -> None:
    one = (*SHIRT_PAGE, "click[x-large]", "click[black]")
    other = ("search[<q> men's shirts]", "click[b000copy00]", *SHIRT_PAGE, *reversed(one[2:]))
    assert walk(shop, *one) == walk(shop, *other)
    for rules in (Rules(keep_visited=True), Rules(keep_order=True)):
        shown_ways = [walk(shop, *way, rules=rules) for way in (one, other)]
        assert shown_ways[0] != shown_ways[1]
        assert state_key(shop, shown_ways[0]) != state_key(shop, shown_ways[1])


def test_buttons_come_before_values_of_the_same_name(shop: Shelf) -> None:
    lamp = walk(shop, "search[<q> lamps]", "click[b000lamp01]")
    described = answer(shop, lamp, "click[description]", RULES).page
    assert isinstance(described, SubPage)
    chosen = answer(shop, lamp, "click[next >]", RULES).page
    assert isinstance(chosen, Item) and chosen.chosen == (("buy now", "next >"),)
    assert "search" in clickables(shop, lamp.page, RULES)
    assert answer(shop, lamp, "click[search]", RULES) is lamp


def test_next_goes_on_behind_the_last_page_and_prev_comes_back(shop: Shelf) -> None:
    found = walk(shop, "search[<c> fashion]")
    assert isinstance(found.page, Results) and len(found.page.found) == 24
    page = walk(shop, "search[<c> fashion]", *["click[next >]"] * 5).page
    assert isinstance(page, Results) and page.number == 6 and shown(page, RULES) == ()
    back = walk(shop, "search[<c> fashion]", *["click[next >]"] * 5, *["click[< prev]"] * 5)
    assert back == found
    assert answer(shop, back, "click[< prev]", RULES) is back


def test_prev_keeps_options_under_a_sub_page_and_drops_them_under_results(shop: Shelf) -> None:
    chosen = walk(shop, *SHIRT_PAGE, "click[black]")
    assert walk(shop, *SHIRT_PAGE, "click[black]", "click[features]", "click[< prev]") == chosen
    again = walk(shop, *SHIRT_PAGE, "click[black]", "click[< prev]", "click[b000shirt1]").page
    assert isinstance(again, Item) and again.chosen == ()


def test_back_to_search_starts_over_but_for_the_goal(shop: Shelf) -> None:
    session = walk(shop, *SHIRT_PAGE, "click[black]", "click[back to search]")
    assert session == Session(goal=SHIRT_GOAL, number=0)


@pytest.mark.parametrize(
    ("keywords", "found"),
    [
        ("<q> lamps", (1,)),
        ("<q> LAMPS  ", (1,)),
        ("<c> garden and more", (1,)),
        ("<a> easy install", (1,)),
        ("<a> cotton spandex", (0, *range(2, 25))),
        ("<c>", ()),
        ("<q>", ()),
        ("<q> nothing", ()),
    ],
)
def test_a_first_word_in_brackets_lists_products(
    shop: Shelf, keywords: str, found: tuple[int, ...]
) -> None:
    page = walk(shop, f"search[{keywords}]").page
    assert isinstance(page, Results) and page.found == found


def test_products_at_random_are_fifty_and_the_same_for_the_same_words() -> None:
    shop = small_shop(copies=80)
    first, again, other = (
        walk(shop, f"search[<r>{words}]").page for words in ("", "", " once more")
    )
    assert isinstance(first, Results) and isinstance(other, Results)
    assert first == again and first.found != other.found
    assert len({*first.found}) == len(first.found) == 50


def test_any_walk_keeps_the_invariants_of_the_pages(shop: Shelf) -> None:
    rng = random.Random("walks")
    for _ in range(60):
        session = Session(goal=rng.choice((SHIRT_GOAL, LAMP_GOAL)), number=0)
        for _ in range(40):
            if isinstance(session.page, Done):
                break
            session = answer(shop, session, some_action(rng, shop, session), RULES)
            check_page(shop, session)


def some_action(rng: random.Random, shop: Shelf, session: Session) -> str:
    names = [*clickables(shop, session.page, RULES), "nowhere"]
    searches = ("search[shirt]", "search[<q> lamps]", "search[<c> fashion]", "search[]")
    clicks = [f"click[{name}]" for name in names if name != "buy now" or rng.random() < 0.2]
    return rng.choice(searches if rng.random() < 0.15 else clicks)


def check_page(shop: Shelf, session: Session) -> None:
    """Clickables are unique, lower case and lead somewhere; the key names the page."""
    names = clickables(shop, session.page, RULES)
    assert len({*names}) == len(names)
    assert all(name == name.lower() for name in names)
    key = state_key(shop, session)
    for name in names:
        after = answer(shop, session, f"click[{name}]", RULES)
        moved = after.page != session.page
        assert moved == (state_key(shop, after) != key)
        assert moved or name == "search" or name in chosen_values(session)
    assert ("search" in names[:1]) == isinstance(session.page, Index)
    assert (not names) == isinstance(session.page, Done)


def chosen_values(session: Session) -> tuple[str, ...]:
    page = session.page
    return tuple(value for _, value in page.chosen) if isinstance(page, Item) else ()

"""Every page is the recorded one, byte for byte."""

import re
from typing import Any

import pytest
from small_shop import LAMP_GOAL, SHIRT_GOAL, recorded_goal

from gigym.envs.errors import BadOption
from gigym.envs.webshop import Goal, GoalList, Product, Shelf, WebShopEnv
from gigym.envs.webshop.browse import answer
from gigym.envs.webshop.nouns import ascii_words
from gigym.envs.webshop.pages import Done, Index, Rules, Session, clickables
from gigym.envs.webshop.prices import midpoint_of
from gigym.envs.webshop.render import address, plain_text, rich_text, spans_of


def seen(shop: Shelf, session: Session, rules: Rules) -> dict[str, Any]:
    """All that a recording holds of a page."""
    page = session.page
    spans = spans_of(shop, session, rules, instruction=True)
    return {
        "text": plain_text(spans),
        "text_rich": rich_text(spans),
        "url": address(shop, session),
        "clickables": list(clickables(shop, page, rules)),
        "has_search_bar": isinstance(page, Index),
        "done": isinstance(page, Done),
        "reward": page.verdict.score if isinstance(page, Done) else 0.0,
    }


def test_all_recorded_pages_match(recorded_shop: Shelf, recordings: list[dict[str, Any]]) -> None:
    pages = 0
    for episode in recordings:
        rules = Rules(show_attributes=episode["show_attrs"], keep_visited=True, keep_order=True)
        session = Session(goal=recorded_goal(episode["goal"]), number=int(episode["session"]))
        assert seen(recorded_shop, session, rules) == episode["reset"]
        for step in episode["steps"]:
            session = answer(recorded_shop, session, step["action"], rules)
            expected = {key: value for key, value in step.items() if key != "action"}
            assert seen(recorded_shop, session, rules) == expected, step["action"]
        pages += 1 + len(episode["steps"])
    assert pages == 509


@pytest.mark.parametrize("mode", ["text", "text_rich", "url"])
def test_the_environment_plays_the_recordings(
    real_products: tuple[Product, ...], recordings: list[dict[str, Any]], mode: str
) -> None:
    goals = [recorded_goal(episode["goal"]) for episode in recordings]
    everything = GoalList(goals, {"train": range(len(goals))})
    shop = Shelf(real_products, everything, noun_rule=ascii_words, pricing=midpoint_of)
    for number, episode in enumerate(recordings):
        env = WebShopEnv(
            products=shop,
            observation_mode=mode,
            reward="score",
            show_attrs=episode["show_attrs"],
            max_steps=100,
        )
        observation, _ = env.reset(options={"task": goals[number].id})
        assert observation == numbered(episode["reset"][mode], number)
        for step in episode["steps"]:
            observation, reward, terminated, truncated, info = env.step(step["action"])
            assert observation == numbered(step[mode], number)
            assert (reward, terminated, truncated) == (step["reward"], step["done"], False)
            clicks = [f"click[{name}]" for name in step["clickables"] if name != "search"]
            bar = ["search[<your query>]"] if step["has_search_bar"] else []
            assert info["admissible_actions"] == bar + clicks


def numbered(text: str, number: int) -> str:
    """The address of a recorded page, all made as session 0, in the session of this number."""
    return re.sub(r"^(http://127.0.0.1:3000/(?:[a-z_]+/)?)0(?=/|$)", rf"\g<1>{number}", text)


def test_the_instruction_can_be_told_once(shop: Shelf) -> None:
    always = WebShopEnv(products=shop)
    first = WebShopEnv(products=shop, show_instruction="first")
    wish = f"Instruction: [SEP] {SHIRT_GOAL.text} [SEP] "
    for env in (always, first):
        assert env.reset(seed=0)[0] == f"WebShop [SEP] {wish}Search"
    for action in (
        "search[shirt]",
        "click[b000shirt1]",
        "click[features]",
        "click[back to search]",
    ):
        assert first.step(action)[0] == always.step(action)[0].replace(wish, "")


def test_a_page_may_hold_more_or_fewer_products(shop: Shelf) -> None:
    env = WebShopEnv(products=shop, page_size=4)
    env.reset(seed=0)
    _, _, _, _, info = env.step("search[<c> fashion]")
    assert len(info["admissible_actions"]) == 2 + 4
    with pytest.raises(BadOption, match="page_size must be at least 1, got 0"):
        WebShopEnv(products=shop, page_size=0)


def test_an_option_is_shown_as_chosen_when_the_address_quotes_it(shop: Shelf) -> None:
    session, rules = Session(goal=SHIRT_GOAL, number=0), Rules(keep_visited=True, keep_order=True)
    for action in ('search["x-large"]', "search[<q> men's shirts]", "click[b000shirt1]"):
        session = answer(shop, session, action, rules)
    assert "clicked" not in seen(shop, session, rules)["text_rich"]
    for action in ("click[< prev]", 'search[shirt "x-large"]', "click[b000shirt1]", "click[black]"):
        session = answer(shop, session, action, rules)
    told = seen(shop, session, rules)["text_rich"].splitlines()
    assert told[:2] == ["You have clicked black.", "You have clicked x-large."]
    assert "  [clicked button] x-large [clicked button_]" in told


def test_visited_products_are_marked_until_the_search_box_is_back(shop: Shelf) -> None:
    env = WebShopEnv(products=shop, observation_mode="text_rich")
    env.reset(seed=0)
    env.step("search[<q> men's shirts]")
    env.step("click[b000shirt1]")
    seen_again = env.step("search[<q> men's shirts]")[0]
    assert "[clicked button] B000SHIRT1 [clicked button_]" in seen_again
    env.step("click[back to search]")
    assert "clicked" not in env.step("search[<q> men's shirts]")[0]


def test_empty_texts_give_no_field_and_an_empty_bullet_gives_one(shop: Shelf) -> None:
    rules = Rules()
    head = "Instruction: [SEP] i need a desk lamp [SEP] Back to Search [SEP] < Prev"
    lamp = walk(shop, LAMP_GOAL, "search[<q> lamps]", "click[b000lamp01]", "click[reviews]")
    assert seen(shop, lamp, rules)["text"] == head
    shirt = ("search[<q> men's shirts]", "click[b000shirt1]", "click[features]")
    assert seen(shop, walk(shop, LAMP_GOAL, *shirt), rules)["text"] == (
        f"{head} [SEP] machine wash [SEP] "
    )


def walk(shop: Shelf, goal: Goal, *actions: str) -> Session:
    session = Session(goal=goal, number=0)
    for action in actions:
        session = answer(shop, session, action, Rules())
    return session

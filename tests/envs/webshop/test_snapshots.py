"""Snapshots: an episode goes on in another environment, and nothing else is taken for one."""

import random

import pytest
from small_shop import SHIRT_GOAL, TO_THE_SHIRT, small_shop, some_action

from gigym.envs.errors import BadOption, UnknownTask
from gigym.envs.types import JsonValue
from gigym.envs.webshop import Shelf, WebShopEnv
from gigym.envs.webshop.pages import Item


@pytest.fixture
def env(shop: Shelf) -> WebShopEnv:
    return WebShopEnv(products=shop)


def test_a_snapshot_continues_where_it_was_taken(shop: Shelf) -> None:
    for mode in ("text", "text_rich", "url"):
        env, other = (WebShopEnv(products=small_shop(), observation_mode=mode) for _ in range(2))
        rng = random.Random(f"snapshots:{mode}")
        for seed in range(12):
            _, info = env.reset(seed=seed)
            for _ in range(10):
                other.restore(env.snapshot())
                assert other.session == env.session
                action = some_action(rng, info["admissible_actions"])
                answer = env.step(action)
                assert other.step(action) == answer
                info = answer[-1]
                if answer[2]:
                    other.restore(env.snapshot())
                    assert other.session == env.session
                    break


@pytest.mark.parametrize("mode", ["text_rich", "url"])
def test_what_a_mode_does_not_show_is_not_taken_over(env: WebShopEnv, mode: str) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    other = WebShopEnv(products=env.shop, observation_mode=mode)
    other.reset(options={"task": SHIRT_GOAL.id})
    for action in (*TO_THE_SHIRT[:2], "click[x-large]", "click[black]"):
        env.step(action)
        other.step(action)
    assert env.session != other.session
    key = env.answer("look").state_key
    env.restore(other.snapshot())
    assert env.answer("look").state_key == key


def test_of_two_values_of_one_group_the_last_one_counts(env: WebShopEnv) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    page: JsonValue = {
        "keywords": "shirt",
        "number": 1,
        "product": "B000SHIRT1",
        "chosen": [["size", "small"], ["size", "x-large"]],
    }
    env.thaw({"goal": SHIRT_GOAL.id, "visited": [], "page": page})
    assert isinstance(env.session.page, Item)
    assert env.session.page.chosen == (("size", "x-large"),)


def test_forks_go_their_own_ways(env: WebShopEnv) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    for action in TO_THE_SHIRT:
        env.step(action)
    buyer, looker = env.fork(2)
    assert buyer.step("click[buy now]")[1] == 10.0
    looker.step("click[features]")
    assert env.step("click[small]")[1:3] == (0.0, False)
    looker.step("click[< prev]")
    assert looker.step("click[buy now]")[1] == 10.0
    assert env.step("click[buy now]")[1] == 0.0


@pytest.mark.parametrize(
    "frozen",
    [
        None,
        [],
        {},
        {"goal": SHIRT_GOAL.id},
        {"goal": SHIRT_GOAL.id, "page": None, "visited": []},
        {"goal": SHIRT_GOAL.id, "page": {}, "visited": ["nowhere"]},
        {"goal": SHIRT_GOAL.id, "page": {}, "visited": 3},
        {"goal": SHIRT_GOAL.id, "page": {"keywords": 3, "number": 1}, "visited": []},
        {"goal": SHIRT_GOAL.id, "page": {"keywords": "x", "number": 0}, "visited": []},
        {"goal": SHIRT_GOAL.id, "page": {"keywords": "x", "number": True}, "visited": []},
        {
            "goal": SHIRT_GOAL.id,
            "page": {"keywords": "x", "number": 1, "product": "B000SHIRT1", "chosen": [["a"]]},
            "visited": [],
        },
        {
            "goal": SHIRT_GOAL.id,
            "page": {
                "keywords": "x",
                "number": 1,
                "product": "B000SHIRT1",
                "chosen": [["size", "black"]],
            },
            "visited": [],
        },
        {
            "goal": SHIRT_GOAL.id,
            "page": {
                "keywords": "x",
                "number": 1,
                "product": "B000SHIRT1",
                "chosen": [],
                "sub_page": "Secrets",
            },
            "visited": [],
        },
        {"goal": ["x"], "page": {}, "visited": []},
    ],
)
def test_a_snapshot_that_is_none_is_refused(env: WebShopEnv, frozen: JsonValue) -> None:
    with pytest.raises(BadOption, match="not a"):
        env.thaw(frozen)


def test_a_snapshot_of_another_shop_is_told(env: WebShopEnv) -> None:
    env.reset(seed=1)
    other = WebShopEnv(products=small_shop(SHIRT_GOAL))
    with pytest.raises(UnknownTask, match="no goal 'B000LAMP01/0' in this shop"):
        other.restore(env.snapshot())

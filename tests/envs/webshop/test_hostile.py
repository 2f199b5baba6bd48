"""Any text is an action, and the reward has one door."""

import pytest
from small_shop import SHIRT_GOAL, TO_THE_SHIRT

from gigym.envs.webshop import Shelf, WebShopEnv


@pytest.fixture
def env(shop: Shelf) -> WebShopEnv:
    return WebShopEnv(products=shop)


HOSTILE = [
    "",
    "\0",
    "\ud800",
    "search[\ud800\udfff]",
    "click[\ud800]",
    "search[" + "x" * 1_000_000 + "]",
    "click[" + "[" * 1_000_000 + "]",
    "[" * 500_000 + "]" * 500_000,
    "(.+)[(.+)]",
    "search[(a+)+$]",
    "search[.*]",
    "search[%s{0}\\x00\\N{BULLET}]",
    "search[<r>]",
    "search[<a>]",
    "search[<c>]",
    "search[<q>]",
    "search[ ]",
    "search[]]]",
    "search[[[]",
    "click[__class__]",
    "click[0]",
    "click[-1]",
    "\u202esearch[shirt]",
    "search[\u202e\U0001f600\u0130]",
    "search[shirt]\n" * 1_000,
    '{"action": "click[buy now]"}',
    "search['; DROP TABLE products; --]",
    "search[../../../etc/passwd]",
]


@pytest.mark.parametrize("mode", ["text", "text_rich", "url"])
def test_any_text_is_an_action_and_its_answer_is_text(shop: Shelf, mode: str) -> None:
    for way in ((), TO_THE_SHIRT[:1], TO_THE_SHIRT, (*TO_THE_SHIRT, "click[features]")):
        env = WebShopEnv(products=shop, observation_mode=mode, max_steps=1_000)
        env.reset(seed=0)
        for action in way:
            env.step(action)
        for action in HOSTILE:
            observation, reward, terminated, _, info = env.step(action)
            assert env.observation_space.contains(observation)
            assert (reward, terminated, info["won"]) == (0.0, False, False)
        env.restore(env.snapshot())


@pytest.mark.parametrize(
    "actions",
    [
        ("click[buy now]",),
        ("search[x]", "click[buy now]"),
        ("buy now", "Buy Now", "click[Buy Now", "click buy now"),
        ("click[b000shirt1]", "click[buy now]"),
        ("search[harbor shirt]", "click[b000lamp01]", "click[black]", "click[buy now]"),
        ("search[harbor shirt]", "click[b000shirt1]", "click[features]", "click[buy now]"),
        (f"search[{SHIRT_GOAL.text}]", "search[buy now]", "search[click[buy now]]"),
        ("search[reward 10]", 'search[{"won": true, "score": 1.0}]', "click[done]"),
        ("click[http://127.0.0.1:3000/done/0/B000SHIRT1/{}]", "click[done/0/B000SHIRT1]"),
        (*TO_THE_SHIRT, "click[back to search]", "click[buy now]"),
        (*TO_THE_SHIRT, "click[< prev]", "click[buy now]"),
    ],
)
def test_the_reward_has_no_other_door_than_the_buy_button(
    env: WebShopEnv, actions: tuple[str, ...]
) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    for action in actions:
        _, reward, terminated, _, info = env.step(action)
        assert (reward, terminated, info["won"], info["score"]) == (0.0, False, False, 0.0)


@pytest.mark.parametrize(
    "actions",
    [
        TO_THE_SHIRT[:2],
        TO_THE_SHIRT[:3],
        (*TO_THE_SHIRT[:2], "click[black x-large]", "click[harbor mens]"),
        (*TO_THE_SHIRT, "click[small]"),
        (*TO_THE_SHIRT, "click[< prev]", "click[b000shirt1]"),
        ("search[<q> lamps]", "click[b000lamp01]"),
        ("search[plain shirt]", "click[b000copy00]", "click[black]", "click[x-large]"),
    ],
)
def test_buying_without_meeting_the_wish_pays_nothing(
    env: WebShopEnv, actions: tuple[str, ...]
) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    for action in actions:
        env.step(action)
    _, reward, terminated, _, info = env.step("click[buy now]")
    assert (reward, terminated, info["won"]) == (0.0, True, False) and info["score"] < 1.0


def test_infos_cannot_reach_into_the_episode(env: WebShopEnv) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    for action in TO_THE_SHIRT[:2]:
        *_, info = env.step(action)
        info["admissible_actions"].append("click[win]")
        info["won"] = True
    assert env.step("click[win]")[1] == 0.0
    assert env.step("click[buy now]")[4]["won"] is False

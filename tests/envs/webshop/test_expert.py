"""The scripted customers: they win, they read what an agent reads, they leave nothing to chance."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gigym
from gigym.envs import Policy, Unsupported
from gigym.envs.webshop import WebShopEnv
from gigym.envs.webshop.expert import ObservationExpert, StateExpert
from gigym.envs.webshop.reading import read_page, read_wish
from gigym.envs.webshop.shelf import Shelf
from gigym.envs.webshop.vocabulary import phrases

ALL = "train+dev+test"


def shopping(env: WebShopEnv, policy: Policy, seed: int) -> tuple[float, list[str]]:
    reply, actions = env.start(seed), list[str]()
    while not reply.done:
        actions.append(policy.act(reply))
        reply = env.answer(actions[-1])
    score = reply.info["score"]
    assert isinstance(score, float)
    return score, actions


def share_won(env: WebShopEnv, policy: Policy, seeds: range) -> float:
    return sum(shopping(env, policy, seed)[0] == 1.0 for seed in seeds) / len(seeds)


def test_the_state_expert_wins_95_of_100_goals_within_15_steps() -> None:
    env = WebShopEnv(split=ALL)
    assert env.max_steps == 15
    assert share_won(env, env.expert("state"), range(0, 6_000, 20)) >= 0.95


@pytest.mark.parametrize("mode", ["text", "text_rich"])
def test_the_observation_expert_wins_most_goals(mode: str) -> None:
    env = WebShopEnv(split=ALL, observation_mode=mode)
    assert share_won(env, env.expert("observation"), range(0, 6_000, 50)) >= 0.65


def test_the_observation_expert_remembers_an_instruction_shown_once() -> None:
    always = WebShopEnv(split=ALL)
    once = WebShopEnv(split=ALL, show_instruction="first")
    for seed in range(10):
        expected = shopping(always, ObservationExpert(), seed)
        assert shopping(once, ObservationExpert(), seed) == expected


@pytest.mark.parametrize("make", [StateExpert, lambda env: ObservationExpert()])
def test_experts_play_the_same_again(make: Callable[[WebShopEnv], Policy]) -> None:
    env = WebShopEnv(split=ALL)
    again = make(env)
    for seed in (3, 4, 3):
        assert shopping(env, make(env), seed) == shopping(env, again, seed)


def test_the_state_expert_takes_over_from_any_page() -> None:
    env = WebShopEnv(split=ALL)
    for wandering in (
        ["search[shoes]"],
        ["search[shoes]", "click[next >]", "click[back to search]"],
        ["search[shoes]", "first product"],
        ["search[shoes]", "first product", "click[features]"],
    ):
        reply = env.start(5)
        for action in wandering:
            products = [a for a in reply.admissible_actions or () if a.startswith("click[b0")]
            reply = env.answer(products[0] if action == "first product" else action)
        policy = env.expert("state")
        while not reply.done:
            reply = env.answer(policy.act(reply))
        assert reply.info["won"]


def test_no_expert_shops_by_addresses() -> None:
    with pytest.raises(Unsupported, match="observe text or text_rich"):
        WebShopEnv(observation_mode="url").expert("observation")


def test_experts_shop_in_other_shops_too(shop: Shelf) -> None:
    env = WebShopEnv(products=shop, split=ALL)
    for kind in ("state", "observation"):
        scores = [shopping(env, env.expert(kind), seed)[0] for seed in range(len(shop.goals))]
        assert max(scores) > 0.0


def test_a_product_whose_title_holds_brackets_can_be_searched() -> None:
    env = WebShopEnv(split=ALL)
    env.start(0)
    action = env.expert("state").act(env.start(0))
    assert action.startswith("search[") and action.count("[") == action.count("]") == 1


def test_an_instruction_is_parted_into_words_and_bound() -> None:
    wish = read_wish("i need red shoes in size 9, and price lower than 40.00 dollars")
    assert (wish.words, wish.bound) == (("red", "shoe", "9"), 40.0)
    assert wish.pick(("8", "9", "19")) == "9" and wish.pick(("8",)) == ""
    assert wish.missing("A pair of Red Boots") == 2
    assert read_wish("a lamp").bound == 1_000_000.0


def test_both_text_modes_read_as_the_same_page() -> None:
    pages = [
        [
            read_page(reply.observation, reply.admissible_actions or ())
            for reply in _pages(WebShopEnv(split=ALL, observation_mode=mode))
        ]
        for mode in ("text", "text_rich")
    ]
    for plain, rich in zip(*pages, strict=True):
        assert plain.instruction == rich.instruction
        assert (plain.listed, plain.groups) == (rich.listed, rich.groups)
    assert len(pages[0][1].listed) == 10
    assert len(pages[0][2].groups) >= 1


def _pages(env: WebShopEnv):  # noqa: ANN202
    policy = env.expert("state")
    reply = env.start(1)
    while not reply.done:
        yield reply
        reply = env.answer(policy.act(reply))


@given(text=st.text(), actions=st.lists(st.text(), max_size=4))
def test_any_text_can_be_read_as_a_page(text: str, actions: list[str]) -> None:
    page = read_page(text, actions)
    read_wish(page.instruction).missing(page.text)


def test_the_vocabulary_covers_the_texts_of_the_synthetic_shop() -> None:
    env = gigym.make("WebShop-v0")
    assert isinstance(env, WebShopEnv)
    words = env.vocabulary()
    assert words == phrases() and len(set(words)) == len(words)
    assert all(word == word.strip() and word for word in words)
    text = " ".join(reply.observation for seed in range(5) for reply in _pages_of(env, seed))
    rest = text
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    assert len(rest) < 0.35 * len(text)


def _pages_of(env: WebShopEnv, seed: int):  # noqa: ANN202
    policy, reply = env.expert("state"), env.start(seed)
    while not reply.done:
        yield reply
        reply = env.answer(policy.act(reply))

"""Games of TextArena: seats, rewards, invalid moves, replays, and global generators left alone."""

import importlib.util
import random
from typing import Any

import numpy as np
import pytest

import gigym
from gigym.envs import BadOption, EnvCodeError, MissingExtra, list_envs, missing

INSTALLED = importlib.util.find_spec("textarena") is not None
needs_arena = pytest.mark.skipif(not INSTALLED, reason="textarena is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # its games warn of their own accord

GAMES = (
    ("KuhnPoker-v0", 2),
    ("IteratedPrisonersDilemma-v0", 2),
    ("SimpleNegotiation-v0", 2),
    ("Mastermind-v0", 1),
)


@pytest.mark.skipif(INSTALLED, reason="textarena is installed")
def test_without_the_package_the_card_and_the_error_say_what_to_install() -> None:
    card = next(card for card in list_envs() if card.id == "TextArena-v0")
    assert missing(card) == ("textarena",)
    with pytest.raises(MissingExtra, match=r"pip install 'gigym\[textarena\]'"):
        gigym.make("TextArena-v0")


@needs_arena
@pytest.mark.parametrize(("game", "players"), GAMES)
def test_games_are_played_alike_twice_forked_and_restored(game: str, players: int) -> None:
    from gigym.envs.games.arena import RandomTokens

    def episode(env: Any, reply: Any) -> list[Any]:  # noqa: ANN401
        replies, player = [reply], RandomTokens()
        while not replies[-1].done:
            replies.append(env.answer(player.act(replies[-1])))
        return replies

    env = gigym.make("TextArena-v0", game=game, players=players)
    whole = episode(env, env.start(4))
    assert whole == episode(env, env.start(4)) and whole[-1].info["error"] is None
    assert -1.0 <= whole[-1].reward <= 1.0
    start = env.start(4)
    (twin,) = env.fork(1)
    other = gigym.make("TextArena-v0", game=game, players=players)
    assert other.restore(env.snapshot()) == start
    assert episode(twin, start) == episode(other, start) == whole


@needs_arena
def test_the_callers_draws_are_untouched_and_do_not_matter() -> None:
    def draws() -> list[float]:
        random.seed(5)
        np.random.seed(5)
        found: list[float] = []
        for _ in range(3):
            found += [random.random(), float(np.random.random())]
        return found

    def draws_between() -> tuple[list[float], str]:
        random.seed(5)
        np.random.seed(5)
        env = gigym.make("TextArena-v0", game="SimpleNegotiation-v0")
        found = [random.random(), float(np.random.random())]
        text = env.start(3).observation
        found += [random.random(), float(np.random.random())]
        env.answer("[Accept]")
        return [*found, random.random(), float(np.random.random())], text

    found, text = draws_between()
    assert found == draws()
    random.seed(99)
    assert gigym.make("TextArena-v0", game="SimpleNegotiation-v0").start(3).observation == text


@needs_arena
def test_two_games_at_once_do_not_touch_each_other() -> None:
    from gigym.envs.games.arena import RandomTokens

    def alone(seed: int) -> list[str]:
        env, texts = gigym.make("TextArena-v0"), list[str]()
        reply = env.start(seed)
        while not reply.done:
            texts.append(reply.observation)
            reply = env.answer(RandomTokens().act(reply))
        return texts

    envs = [gigym.make("TextArena-v0") for _ in range(2)]
    replies = [env.start(seed) for seed, env in enumerate(envs)]
    texts: list[list[str]] = [[], []]
    while not all(reply.done for reply in replies):
        for number, env in enumerate(envs):
            if not replies[number].done:
                texts[number].append(replies[number].observation)
                replies[number] = env.answer(RandomTokens().act(replies[number]))
    assert texts == [alone(0), alone(1)]


@needs_arena
@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "[[[", "x" * 1_000_000, "[Player 1] [fold]"]
)
def test_hostile_text_is_an_invalid_move_that_the_game_punishes(text: str) -> None:
    env = gigym.make("TextArena-v0", game="Mastermind-v0", players=1)
    reply = env.start(0)
    while not reply.done:
        reply = env.answer(text)
        assert reply.info["valid"] is False and reply.reward <= 0.0
    assert reply.info["won"] is False and reply.info["invalid"] == 2


@needs_arena
def test_all_seats_of_a_game_by_pettingzoo() -> None:
    pytest.importorskip("pettingzoo", reason="the extra multi is not installed")
    from pettingzoo.test import parallel_api_test, parallel_seed_test, seed_test

    parallel_api_test(gigym.make_parallel("TextArena-v0"), num_cycles=20)
    parallel_seed_test(lambda: gigym.make_parallel("TextArena-v0"))
    seed_test(lambda: gigym.make_aec("TextArena-v0"), num_cycles=10)
    env = gigym.make_aec("TextArena-v0")
    env.reset(seed=3)
    for _ in env.agent_iter():
        over = env.terminations[env.agent_selection]
        env.step(None if over else "[fold]" if "call" in env.last()[0]["observation"] else "[bet]")
    assert env.agents == [] and env.possible_agents == ["player_0", "player_1"]


@needs_arena
def test_what_cannot_be_played_is_told() -> None:
    with pytest.raises(BadOption, match="Did you mean 'KuhnPoker-v0'"):
        gigym.make("TextArena-v0", game="KunPoker-v0")
    with pytest.raises(EnvCodeError, match="does not start with 1 players"):
        gigym.make("TextArena-v0", game="KuhnPoker-v0", players=1).start(0)

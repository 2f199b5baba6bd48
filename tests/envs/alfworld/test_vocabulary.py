"""The vocabulary reads every text of generated and official games in few tokens."""

import statistics
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from transformers import PreTrainedTokenizerFast

from gigym.agents.tiny import build_tokenizer
from gigym.envs.alfworld import ALFWorldEnv
from gigym.envs.alfworld.vocabulary import phrases
from gigym.envs.types import Policy

CONTROL_TOKENS = 2
"""What opens and what closes an action."""


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(phrases())


def texts_of(env: ALFWorldEnv, seed: int, policy: Policy | Random) -> tuple[list[str], list[str]]:
    """Observations and actions of one episode."""
    reply = env.start(seed)
    observations, actions = [reply.observation], list[str]()
    while not reply.done:
        admissible = reply.admissible_actions or ()
        random = isinstance(policy, Random)
        actions.append(policy.choice(admissible) if random else policy.act(reply))
        reply = env.answer(actions[-1])
        observations.append(reply.observation)
    return observations, actions


def fallbacks(tokenizer: PreTrainedTokenizerFast, texts: Iterable[str]) -> tuple[list[str], int]:
    """Byte tokens in the texts, and the number of all tokens."""
    tokens = [token for text in texts for token in tokenizer.tokenize(text)]
    return [token for token in tokens if token.startswith("<0x")], len(tokens)


def test_phrases_are_distinct_substrings_without_blanks_at_their_ends() -> None:
    found = phrases()
    assert len(found) < 1000
    assert list(found) == sorted(set(found))
    assert all(phrase and phrase == phrase.strip(" ") for phrase in found)


def test_the_environment_hands_out_the_phrases() -> None:
    assert ALFWorldEnv().vocabulary() == phrases()


def test_an_observation_is_a_handful_of_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    text = "You arrive at desk 1. On the desk 1, you see a mug 1, and a pen 2."
    assert tokenizer.tokenize(text) == [
        " You arrive at",
        " desk 1",
        ". On the",
        " desk 1",
        ", you see a",
        " mug 1",
        ", and a",
        " pen 2",
        ".",
    ]


def test_a_name_is_the_same_token_in_texts_and_in_commands(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    for text in ("take mug 12 from desk 1", "take mug 2 from desk 1"):
        assert " desk 1" in tokenizer.tokenize(text)
    assert tokenizer.tokenize("move mug 2 to desk 1") == [" move", " mug 2", " to", " desk 1"]


@pytest.mark.parametrize("kind", ["state", "observation"])
def test_an_expert_episode_of_a_small_game_is_short(
    tokenizer: PreTrainedTokenizerFast, kind: str
) -> None:
    env = ALFWorldEnv(difficulty="small")
    lengths: list[int] = []
    for seed in range(60):
        expert = env.expert("state" if kind == "state" else "observation", seed)
        observations, actions = texts_of(env, seed, expert)
        unknown, count = fallbacks(tokenizer, observations + actions)
        assert not unknown
        lengths.append(count + CONTROL_TOKENS * len(actions))
    assert statistics.mean(lengths) <= 160


@pytest.mark.parametrize("difficulty", ["small", "standard"])
def test_nothing_that_a_generated_game_says_is_spelt_in_bytes(
    tokenizer: PreTrainedTokenizerFast, difficulty: str
) -> None:
    env = ALFWorldEnv(difficulty=difficulty)
    for seed in range(40):
        observations, actions = texts_of(env, seed, Random(seed))
        assert fallbacks(tokenizer, observations + actions)[0] == []


def test_official_games_are_hardly_ever_spelt_in_bytes(
    tokenizer: PreTrainedTokenizerFast, test_data: Path
) -> None:
    pack = test_data / "alfworld" / "valid_seen.jsonl.xz"
    if not pack.exists():
        pytest.skip(f"no official games at {pack}")
    env = ALFWorldEnv(games=str(pack))
    texts: list[str] = []
    for seed in range(env.num_tasks or 0):
        observations, actions = texts_of(env, seed, env.expert("observation", seed))
        texts += observations + actions
    unknown, count = fallbacks(tokenizer, texts)
    assert len(unknown) < 0.001 * count

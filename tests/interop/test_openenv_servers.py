"""Our client, vector environments and rollouts at unmodified OpenEnv servers, a TextArena game too.

What OpenEnv's own client sees of the same actions is the reference.
"""

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from theirs import Theirs

import gigym
from gigym.agents import RolloutSpec, SamplingSpec, ScriptedEngine, build_tokenizer, collect
from gigym.agents.terse import TerseDialogue
from gigym.envs import Task
from gigym.envs.connect import Target, seat_pool
from gigym.grouping.types import Stop

GUESSES = ["012", "340", "111", "222"]
BOARDS = ["[1 2 3 4]", "[5 6 1 2]", "not a move", "[4 3 2 1]"]
SENTENCES = ("A vault of three digits; the sum is", ".", "right", *"0123456789", "10", "11", "12")


@pytest.fixture(scope="module")
def urls(openenv: Theirs) -> Iterator[list[str]]:
    with openenv.serving("openenv_serves.py", "vault", "Mastermind-v0") as urls:
        yield urls


@pytest.fixture(scope="module")
def vault(urls: list[str]) -> str:
    return urls[0]


@pytest.fixture(scope="module")
def arena(urls: list[str]) -> str:
    return urls[1]


Heard = list[tuple[str, float, bool]]
"""A text, a reward and whether it ended, for each reply of an episode."""
Episodes = Sequence[tuple[int, Sequence[str]]]
"""Seeds and actions."""


def heard(openenv: Theirs, url: str, episodes: Episodes) -> list[Heard]:
    """What OpenEnv's client sees."""
    wanted = [
        {"reset": {"seed": seed}, "actions": [{"command": text} for text in actions]}
        for seed, actions in episodes
    ]
    (played,) = openenv.ask("openenv_plays.py", [{"url": url, "way": "async", "episodes": wanted}])
    return [
        [(r["observation"]["text"], r["reward"] or 0.0, r["done"]) for r in episode["replies"]]
        for episode in played
    ]


def played(url: str, episodes: Episodes) -> list[Heard]:
    """What `gigym.connect` sees."""
    seen: list[Heard] = []
    with gigym.connect(url) as env:
        for seed, actions in episodes:
            replies = [env.start(seed), *(env.answer(action) for action in actions)]
            seen.append([(reply.observation, reply.reward, reply.done) for reply in replies])
    return seen


def test_our_client_sees_what_theirs_sees(openenv: Theirs, vault: str) -> None:
    episodes = [(seed, GUESSES) for seed in range(4)]
    assert played(vault, episodes) == heard(openenv, vault, episodes)


def test_a_game_of_textarena_behind_openenv_is_played_alike(openenv: Theirs, arena: str) -> None:
    episodes = [(3, BOARDS), (4, BOARDS[:2])]
    ours = played(arena, episodes)
    assert ours == heard(openenv, arena, episodes)
    assert "black peg" in ours[0][1][0]


def test_a_vector_of_sessions_plays_episodes_of_their_own(vault: str) -> None:
    with gigym.connect(vault) as env:
        vector = env.vector(3, autoreset="next_step")
        texts, _ = vector.reset(seed=[0, 1, 0])
        assert texts[0] == texts[2] != texts[1]
        texts, rewards, *_ = vector.step(["012", "012", "340"])
        assert all(text.endswith("right") for text in texts)
        assert rewards.dtype == np.float64
        vector.close()


async def test_our_rollout_collects_groups_there(openenv: Theirs, vault: str) -> None:
    dialogue = TerseDialogue(build_tokenizer(SENTENCES))

    def guess(prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...]:
        drawn = random.Random(f"{spec.seed}:{len(prompt)}")
        return dialogue.reply_ids("".join(drawn.choice("01234") for _ in range(3)))

    spec = RolloutSpec(siblings=4, max_action_tokens=6, max_model_len=1000, run_seed=5)
    tasks = [Task(env="", seed=seed) for seed in (1, 2)]
    async with seat_pool(Target(urls=(vault,)), {}) as pool:
        groups = await collect(tasks, pool, ScriptedEngine(guess), dialogue, spec)
    assert [len(group.trajectories) for group in groups] == [4, 4]
    assert not any(group.failures for group in groups)
    episodes = [episode for group in groups for episode in group.trajectories]
    assert {episode.stop for episode in episodes} == {Stop.DONE}
    actions = [(episode.seed, [turn.action for turn in episode.turns]) for episode in episodes]
    for episode, reference in zip(episodes, heard(openenv, vault, actions), strict=True):
        shown = [turn.observation for turn in episode.turns]
        assert shown == [text for text, _, _ in reference[:-1]]
        assert [turn.reward for turn in episode.turns] == [reward for _, reward, _ in reference[1:]]
        assert reference[-1][2]

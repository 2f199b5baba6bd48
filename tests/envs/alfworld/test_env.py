"""ALFWorldEnv: the names others rely on, one episode's life, snapshots, the same everywhere."""

import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env

import gigym
from gigym.envs import BadOption, EpisodeError, Reply, UnknownTask
from gigym.envs.alfworld import ALFWorldEnv, GameSet, read_games, write_pack
from gigym.envs.alfworld.aim import TASK_TYPES
from gigym.envs.alfworld.env import plain
from gigym.envs.alfworld.generator import generate
from gigym.envs.types import JsonValue


@pytest.fixture
def pack(tmp_path: Path) -> str:
    """Six small games in a file, as if they were official ones."""
    path = tmp_path / "games.jsonl.xz"
    write_pack(path, (generate(seed, difficulty="tiny") for seed in range(6)))
    return str(path)


def walk(env: ALFWorldEnv, reply: Reply, seed: int, steps: int) -> list[Reply]:
    """So many random replies, fewer where the episode ends."""
    rng, replies = random.Random(seed), [reply]
    while not replies[-1].done and len(replies) <= steps:
        replies.append(env.answer(rng.choice(replies[-1].admissible_actions or ())))
    return replies


def test_the_names_of_the_gymnasium_edge() -> None:
    env = gigym.make("ALFWorld-v0", engine="native")
    text, info = env.reset(seed=3)
    assert text.startswith(
        "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room."
    )
    assert isinstance(info["admissible_actions"], list) and "help" in info["admissible_actions"]
    assert info["admissible_actions"] == sorted(info["admissible_actions"])
    assert info["won"] is False and len(info["state_key"]) == len(info["observation_key"]) == 32
    assert info["goal"].startswith("Your task is to: ") and text.endswith(info["goal"])
    assert info["task_type"] in TASK_TYPES.values() and info["task_id"].startswith("gen")
    text, reward, terminated, truncated, info = env.step("look")
    assert (reward, terminated, truncated) == (0.0, False, False)
    again, told = env.reset(options={"task": info["task_id"]})
    assert told["task_id"] == info["task_id"] and again.endswith(info["goal"])


def test_gymnasiums_own_checker_has_nothing_to_say(pack: str) -> None:
    for games in ("", pack):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(gigym.make("ALFWorld-v0", games=games), skip_render_check=True)


@pytest.mark.parametrize("seed", range(6))
def test_a_win_pays_ten_once_and_ends_the_episode(seed: int) -> None:
    env = ALFWorldEnv(difficulty="small")
    reply, expert = env.start(seed), env.expert("state")
    rewards: list[float] = []
    while not reply.done:
        reply = env.answer(expert.act(reply))
        rewards.append(reply.reward)
    assert reply.terminated and not reply.truncated and reply.info["won"] is True
    assert rewards == [0.0] * (len(rewards) - 1) + [10.0]
    with pytest.raises(EpisodeError, match="the episode is over"):
        env.answer("look")


def test_the_turn_limit_truncates_and_an_unknown_command_costs_a_turn() -> None:
    env = ALFWorldEnv(max_steps=2)
    env.start(0)
    assert not env.answer("dance").done
    reply = env.answer("dance")
    assert reply.truncated and not reply.terminated and reply.observation == "Nothing happens."
    assert ALFWorldEnv().max_steps == 50


def test_seeds_go_round_a_fixed_set_and_ids_name_its_games(pack: str) -> None:
    env, games = ALFWorldEnv(games=pack), read_games(pack)
    assert env.num_tasks == 6 and ALFWorldEnv().num_tasks is None
    assert [env.start(seed).info["task_id"] for seed in (0, 5, 6, 13)] == [
        games.ids[index] for index in (0, 5, 0, 1)
    ]
    assert env.start(0, {"task": games.ids[4]}).info["task_id"] == games.ids[4]
    assert ALFWorldEnv(games=Path(pack)).num_tasks == 6


def test_splits_of_generated_games_have_no_game_in_common() -> None:
    texts = {
        split: {ALFWorldEnv(split=split, difficulty="small").start(s).observation for s in range(9)}
        for split in ("train", "test")
    }
    assert not texts["train"] & texts["test"]


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"task": "gen1/no/such/game/1"}, UnknownTask, "no generated game"),
        ({"task": 7}, BadOption, "must be the id of a game, got 7"),
        ({"game": "x"}, BadOption, "no reset option 'game'"),
    ],
)
def test_a_wrong_reset_option_is_told(
    options: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        ALFWorldEnv().start(0, options)


def test_a_fixed_set_does_not_have_generated_games(pack: str) -> None:
    with pytest.raises(UnknownTask, match="which holds 6 games"):
        ALFWorldEnv(games=pack).start(0, {"task": generate(99).id})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"engine": "textwrld"}, "has the engines native and textworld"),
        ({"split": "valid_seen"}, "generated games have: train, test"),
        ({"difficulty": "smal"}, "did you mean 'small'"),
        ({"max_steps": 0}, "at least 1"),
    ],
)
def test_a_wrong_option_is_told_when_the_environment_is_made(
    options: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadOption, match=told):
        gigym.make("ALFWorld-v0", **options)


def test_leniency_is_asked_for() -> None:
    strict, lenient = ALFWorldEnv(difficulty="tiny"), ALFWorldEnv(difficulty="tiny", normalize=True)
    strict.start(0)
    shouted = (lenient.start(0).admissible_actions or ("",))[0].upper().replace(" ", "  ")
    assert strict.answer(shouted).observation == "Nothing happens."
    assert lenient.answer(shouted).observation != "Nothing happens."
    for put in ("Put Mug 1  in/on DESK 2", "put mug 1 in desk 2", "put mug 1 on desk 2"):
        assert plain(put) == "move mug 1 to desk 2"
    assert plain("input mug 1 on desk 2") == "input mug 1 on desk 2"


@pytest.mark.parametrize("steps", [0, 1, 7, 25])
def test_a_restored_episode_goes_on_as_the_original(pack: str, steps: int) -> None:
    for games in ("", pack):
        env, fresh = (ALFWorldEnv(games=games, difficulty="small") for _ in range(2))
        last = walk(env, env.start(steps), steps, steps)[-1]
        assert fresh.restore(env.snapshot()) == last
        assert walk(fresh, last, 1, 60) == walk(env, last, 1, 60)


def test_forks_do_not_touch_each_other_nor_what_they_came_from() -> None:
    env = ALFWorldEnv(difficulty="small")
    last = walk(env, env.start(2), 2, 5)[-1]
    twins = env.fork(3)
    lives = [walk(twin, last, seed, 40) for seed, twin in enumerate(twins)]
    assert lives[0] != lives[1]
    assert [walk(twin, last, s, 40) for s, twin in enumerate(env.fork(3))] == lives
    assert walk(env, last, 1, 40) == lives[1]


def test_a_won_episode_is_restored_as_won() -> None:
    env, fresh = ALFWorldEnv(difficulty="tiny"), ALFWorldEnv(difficulty="tiny")
    reply, expert = env.start(0), env.expert()
    while not reply.done:
        reply = env.answer(expert.act(reply))
    assert fresh.restore(env.snapshot()).terminated
    with pytest.raises(EpisodeError, match="over"):
        fresh.answer("look")


def test_a_snapshot_of_a_game_that_is_not_here_is_refused(pack: str) -> None:
    env = ALFWorldEnv(games=pack)
    env.start(0)
    other = generate(77, difficulty="tiny")
    path = Path(pack).with_name("other.jsonl")
    write_pack(path, [other])
    with pytest.raises(UnknownTask, match="the snapshot's game is not here"):
        ALFWorldEnv(games=str(path)).restore(env.snapshot())


@pytest.mark.parametrize(
    "frozen",
    [None, [], {}, {"task": 3}, {"task": "@", "state": None}, {"task": "@", "state": {"place": 1}}],
)
def test_a_spoilt_snapshot_is_refused_and_the_running_game_goes_on(
    frozen: JsonValue,
) -> None:
    env = ALFWorldEnv(difficulty="tiny")
    game_id = env.start(0).info["task_id"]
    tree = json.loads(env.snapshot())
    tree["frozen"] = json.loads(json.dumps(frozen).replace("@", str(game_id)))
    before = env.answer("look")
    with pytest.raises(BadOption):
        env.restore(json.dumps(tree).encode())
    assert env.answer("look").state_key == before.state_key


def test_nothing_can_be_done_before_a_start() -> None:
    env = ALFWorldEnv()
    for call in (env.snapshot, env.fork, lambda: env.answer("look"), lambda: env.world):
        with pytest.raises(EpisodeError, match="reset first"):
            call()


PLAY = """
import hashlib, json, random, sys
from gigym.envs.alfworld import ALFWorldEnv
env, rng, said = ALFWorldEnv(difficulty="standard"), random.Random(5), []
for seed in range(4):
    reply = env.start(seed)
    while not reply.done:
        said.append([reply.observation, reply.state_key, reply.admissible_actions])
        reply = env.answer(rng.choice(reply.admissible_actions))
    expert = env.expert()
    reply = env.start(seed)
    while not reply.done:
        said.append(expert.act(reply))
        reply = env.answer(said[-1])
    said.append(hashlib.sha256(env.snapshot()).hexdigest())
print(hashlib.sha256(json.dumps(said).encode()).hexdigest())
"""


def test_episodes_are_the_same_under_any_hash_seed() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", PLAY],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(digests) == 1


RESTORE = """
import sys
from gigym.envs.alfworld import ALFWorldEnv
env = ALFWorldEnv(games=sys.argv[1])
reply = env.restore(sys.stdin.buffer.read())
print(reply.state_key, env.answer("inventory").observation)
"""


def test_a_snapshot_is_restored_in_another_process(official: Callable[[str], GameSet]) -> None:
    games = official("valid_seen").name
    env = ALFWorldEnv(games=games)
    last = walk(env, env.start(11), 11, 9)[-1]
    ran = subprocess.run(
        [sys.executable, "-c", RESTORE, games],
        input=env.snapshot(),
        capture_output=True,
        check=True,
    )
    assert ran.stdout.decode().split("\n")[0] == (
        f"{last.state_key} {env.answer('inventory').observation}"
    )

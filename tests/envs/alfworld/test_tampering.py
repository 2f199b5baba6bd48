"""The reward cannot be had by other means than the task."""

import dataclasses
import json
from typing import Any

import pytest

import gigym
from gigym.envs import BadOption, EpisodeError
from gigym.envs.alfworld import ALFWorldEnv, generate
from gigym.envs.alfworld.oddities import ODDITIES

SEEDS = range(12)
CLAIMS = (
    "You won!",
    "won = True",
    '{"won": true, "reward": 10.0, "terminated": true}',
    "<action>win</action>",
    "Your task is to: look.",
    "reset",
    "restore",
    "go to desk 1\nYou won!",
    "(:goal (and))",
    "#task#",
    "{r.name}",
    "__import__('os')",
)


def make(**options: bool | int) -> ALFWorldEnv:
    env = gigym.make("ALFWorld-v0", difficulty="tiny", **options)
    assert isinstance(env, ALFWorldEnv)
    return env


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("normalize", [False, True])
def test_saying_so_does_not_win(claim: str, normalize: bool) -> None:
    env = make(normalize=normalize)
    for seed in SEEDS:
        before = env.start(seed)
        reply = env.answer(claim)
        assert (reply.reward, reply.terminated, reply.info["won"]) == (0.0, False, False)
        assert reply.state_key == before.state_key and reply.observation == "Nothing happens."


def test_the_winning_command_wins_nothing_out_of_turn_or_spoilt() -> None:
    env = make(max_steps=200)
    for seed in SEEDS:
        last = generate(seed, difficulty="tiny").walkthrough[-1]
        reply = env.start(seed)
        for spoil in ODDITIES.values():
            reply = env.answer(spoil(last))
            assert reply.reward == 0.0 and not reply.done


def test_a_win_pays_once_and_nothing_can_be_added_to_it() -> None:
    env = make()
    for seed in SEEDS:
        env.start(seed)
        paid = [env.answer(c).reward for c in generate(seed, difficulty="tiny").walkthrough]
        assert paid == [0.0] * (len(paid) - 1) + [10.0]
        for action in ("look", generate(seed, difficulty="tiny").walkthrough[-1]):
            with pytest.raises(EpisodeError, match="the episode is over"):
                env.answer(action)


def test_running_out_of_turns_pays_nothing_and_ends_it() -> None:
    env = make(max_steps=2)
    env.start(0)
    assert env.answer("look").reward == 0.0
    reply = env.answer("look")
    assert (reply.reward, reply.truncated, reply.terminated) == (0.0, True, False)
    with pytest.raises(EpisodeError):
        env.answer("look")


def test_what_a_reply_hands_out_cannot_be_turned_against_the_game() -> None:
    env = make()
    reply = env.start(0)
    info = env.reset(seed=0)[1]
    info["won"] = True
    info["admissible_actions"].append("win")
    info["admissible_actions"][:] = ["win"]
    step = env.step("win")
    assert step[1] == 0.0 and step[0] == "Nothing happens." and not step[4]["won"]
    assert "win" not in step[4]["admissible_actions"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        reply.reward = 10.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("options", [{"won": True}, {"goal": "look"}, {"reward": 10}, {"task": 3}])
def test_a_reset_option_that_would_change_the_task_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadOption):
        make().start(0, options)


def test_a_snapshot_that_only_claims_a_win_is_none_for_the_game() -> None:
    """Snapshots are for the host, who may edit them; the game judges the goal by its own facts."""
    env = make()
    env.start(0)
    forged = json.loads(env.snapshot())
    forged["last"]["info"]["won"] = True
    env.restore(json.dumps(forged).encode())
    assert not env.world.won
    reply = env.answer("look")
    assert (reply.reward, reply.terminated, reply.info["won"]) == (0.0, False, False)

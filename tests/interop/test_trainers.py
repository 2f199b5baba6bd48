"""Trainers of others on our environments: skyrl-gym makes and plays them, TRL trains on them."""

import pytest
from theirs import Theirs, installed

import gigym
from gigym.envs import Reply

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def skyrl() -> Theirs:
    return installed("GIGYM_SKYRL_PYTHON", ".venv-skyrl", "test-interop")


@pytest.fixture(scope="module")
def trl() -> Theirs:
    return installed("GIGYM_TRL_PYTHON", ".venv-trl", "test-interop")


def expert_replies(seed: int) -> list[Reply]:
    """What an episode of the expert shows, in process."""
    env = gigym.make("ALFWorld-v0")
    expert, replies = env.expert(), [env.start(seed)]
    while not replies[-1].done:
        replies.append(env.answer(expert.act(replies[-1])))
    return replies


def test_skyrl_gym_registers_makes_and_plays_our_class(skyrl: Theirs) -> None:
    told = skyrl.ask("skyrl_plays.py", {"env": "ALFWorld-v0", "seeds": list(SEEDS)})
    assert told["version"].startswith("0.4.")
    for seed, played in zip(SEEDS, told["played"], strict=True):
        replies = expert_replies(seed)
        system, *shown = played["messages"]
        assert system == {"role": "system", "content": "play"}
        # what the last action shows is for nobody: the episode is over
        for message, reply in zip(shown, replies[:-1], strict=True):
            assert message["role"] == "user" and reply.observation in message["content"]
        assert played["rewards"] == [reply.reward for reply in replies[1:]]
        assert played["metrics"] == {"success": 1.0, "turns": len(replies) - 1}
    assert told["mean"]["success"] == 1.0


def test_trl_trains_a_step_on_groups_that_play_our_class(trl: Theirs) -> None:
    asked = {"env": "ALFWorld-v0", "options": {"difficulty": "tiny"}, "seeds": list(SEEDS)}
    told = trl.ask("trl_trains.py", asked)
    assert told["versions"]["trl"] == "1.16.0"
    log = told["log"]
    # of two siblings of each game one plays as the expert, the other gives up
    assert log["rewards/ALFWorld_v0/mean"] == 5.0
    assert log["tools/call_frequency"] == told["calls"] / (2 * len(SEEDS))
    assert log["tools/failure_frequency"] == 0.0
    assert log["frac_reward_zero_std"] == 0.0 and log["grad_norm"] > 0.0

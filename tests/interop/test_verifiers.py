"""verifiers' `vf-eval` evaluates a scripted model on our server, through a taskset of ours."""

import json
from typing import Any

import pytest
from theirs import Theirs, installed

import gigym
from gigym.envs import Reply
from gigym.servers import HostedEnv, LocalServer, ServerSpec

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def verifiers() -> Theirs:
    return installed("GIGYM_VERIFIERS_PYTHON", ".venv-verifiers", "test-interop")


def solved(seed: int) -> tuple[list[Reply], list[str]]:
    """What an episode of the expert shows in process, and the commands."""
    env = gigym.make("ALFWorld-v0")
    expert, replies, commands = env.expert(), [env.start(seed)], []
    while not replies[-1].done:
        commands.append(expert.act(replies[-1]))
        replies.append(env.answer(commands[-1]))
    return replies, commands


def texts(trace: dict[str, Any], role: str) -> list[str]:
    messages = [node["message"] for node in trace["nodes"]]
    return [message["content"] for message in messages if message["role"] == role]


def test_vf_eval_plays_whole_episodes_and_sums_our_rewards(verifiers: Theirs) -> None:
    known = {seed: solved(seed) for seed in SEEDS}
    commands = {replies[0].observation: said for replies, said in known.values()}
    with LocalServer(ServerSpec(envs=(HostedEnv(id="ALFWorld-v0"),), port=0)) as server:
        asked = {"url": server.url, "seeds": list(SEEDS), "commands": commands}
        told = verifiers.ask("verifiers_evals.py", asked)
    assert (told["version"], told["code"]) == ("0.4.0", 0), told["said"]
    assert len(told["saved"]) == len(SEEDS)
    for episode in told["saved"]:
        replies, said = known[episode["task"]["data"]["reset"]["seed"]]
        (trace,) = episode["traces"]
        assert trace["ok"] and not trace["errors"]
        assert trace["rewards"]["openenv_reward"]["score"] == 10.0
        assert texts(trace, "assistant") == said
        shown = [json.loads(text)["observation"] for text in texts(trace, "user")]
        assert [one["text"] for one in shown] == [reply.observation for reply in replies[:-1]]

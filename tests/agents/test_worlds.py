"""Rollouts on ALFWorld: the same in process and over HTTP, token for token."""

import os
import random
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
from ladder_env import lines

from gigym.agents import (
    RolloutSpec,
    SamplingSpec,
    ScriptedEngine,
    build_tokenizer,
    collect,
    dialogue_for,
    rollout_metrics,
)
from gigym.envs import Task, make
from gigym.envs.pool import LocalPool
from gigym.envs.remote import RemotePool
from gigym.servers.launch import LocalServer
from gigym.servers.spec import HostedEnv, ServerSpec

WORLD = "ALFWorld-v0"
OPTIONS = {"difficulty": "small", "max_steps": 12}
DIALOGUE = dialogue_for(build_tokenizer(make(WORLD).vocabulary()))
COMMANDS = (
    "look",
    "inventory",
    "go to desk 1",
    "go to bed 1",
    "open drawer 1",
    "take mug 1",
    "Look",
)
TASKS = [Task(env=WORLD, seed=seed) for seed in (0, 2, 4)]
SPEC = RolloutSpec(siblings=4, max_action_tokens=8, max_model_len=600, run_seed=1)


def wander(prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...]:
    return DIALOGUE.reply_ids(random.Random(f"{spec.seed}:{prompt}").choice(COMMANDS))


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(ServerSpec(envs=(HostedEnv(id=WORLD),), port=0)) as running:
        yield running


async def test_episodes_are_the_same_in_process_and_over_http(server: LocalServer) -> None:
    for context in ("append", "window"):
        spec = replace(SPEC, context=context)
        near = await collect(
            TASKS, LocalPool(WORLD, OPTIONS), ScriptedEngine(wander), DIALOGUE, spec
        )
        async with RemotePool([server.url], WORLD, OPTIONS) as pool:
            far = await collect(TASKS, pool, ScriptedEngine(wander), DIALOGUE, spec)
        assert lines(far) == lines(near)
        assert rollout_metrics(near)["rollout/failed"] == 0
        assert rollout_metrics(near)["rollout/turns_total"] == 3 * 4 * 12


async def test_a_server_killed_in_mid_rollout_changes_nothing(server: LocalServer) -> None:
    asked = 0

    def wander_and_kill(prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...]:
        nonlocal asked
        asked += 1
        if asked == 40:
            os.kill(server.pid, signal.SIGKILL)
        return wander(prompt, spec)

    near = await collect(TASKS, LocalPool(WORLD, OPTIONS), ScriptedEngine(wander), DIALOGUE, SPEC)
    async with RemotePool([server.url], WORLD, OPTIONS) as pool:
        far = await collect(TASKS, pool, ScriptedEngine(wander_and_kill), DIALOGUE, SPEC)
    assert asked == 3 * 4 * 12
    assert lines(far) == lines(near)


async def test_a_reply_in_another_spelling_is_sent_in_that_of_the_world() -> None:
    (group,) = await collect(
        TASKS[:1],
        LocalPool(WORLD, {**OPTIONS, "max_steps": 1}),
        ScriptedEngine(lambda prompt, spec: DIALOGUE.reply_ids("LOOK")),
        DIALOGUE,
        SPEC,
    )
    for episode in group.trajectories:
        (turn,) = episode.turns
        assert (turn.text, turn.action, turn.admissible) == ("LOOK", "look", True)
        assert episode.task_type
        assert episode.task_id


async def test_an_invalid_reply_is_answered_by_nothing_happens() -> None:
    (group,) = await collect(
        TASKS[:1],
        LocalPool(WORLD, {**OPTIONS, "max_steps": 2}),
        ScriptedEngine(lambda prompt, spec: DIALOGUE.stop_token_ids),
        DIALOGUE,
        SPEC,
    )
    assert [turn.observation for turn in group.trajectories[0].turns[1:]] == ["Nothing happens."]


async def test_a_whole_expert_episode_fits_a_short_context() -> None:
    env = make(WORLD, difficulty="small")
    lengths: list[int] = []
    for seed in range(0, 40, 2):
        reply, expert = env.start(seed), env.expert("state")
        ids = list(DIALOGUE.opening(reply))
        while not reply.done:
            action = expert.act(reply)
            said = DIALOGUE.reply_ids(action)
            assert DIALOGUE.read(said, "stop", reply).admissible
            reply = env.answer(action)
            ids += said if reply.done else (*said, *DIALOGUE.following(said, reply))
        lengths.append(len(ids))
    assert sum(lengths) / len(lengths) < 130

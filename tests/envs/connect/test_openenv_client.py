"""The client of OpenEnv's servers against one that keeps none of our promises."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from far_seats import QUICK
from openenv_double import OpenEnvDouble, Tree, error_frame

from gigym.envs import (
    BadOption,
    EnvCodeError,
    EpisodeError,
    EpisodeLost,
    Reply,
    ServerError,
    ServerUnreachable,
    Task,
    UnknownEnv,
)
from gigym.envs.connect import ConnectedPool, Shape, Target, seat_pool

TASK = Task(env="dark", seed=7)
PATH = ("east", "west", "east", "east", "west")


@pytest.fixture
def double() -> Iterator[OpenEnvDouble]:
    with OpenEnvDouble() as server:
        yield server


def far(*servers: OpenEnvDouble, **changes: object) -> ConnectedPool:
    target = Target(urls=tuple(server.url for server in servers))
    fields = {name: changes.pop(name) for name in ("token", "shape") if name in changes}
    options: Any = changes.pop("options", {})
    more: Any = changes
    return seat_pool(replace(target, **cast("Any", fields)), options, replace(QUICK, **more))


async def walk(pool: ConnectedPool, task: Task = TASK) -> list[Reply]:
    """The replies along the path."""
    (seat,) = await pool.open(1)
    return [await seat.reset(task), *[await seat.step(action) for action in PATH]]


def once(matches: Callable[[Tree], bool], nth: int = 0) -> Callable[[Tree], bool]:
    """True for the n-th frame that matches, and never again."""
    seen = itertools.count()
    return lambda frame: matches(frame) and next(seen) == nth


async def test_an_episode_is_that_of_the_server(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        replies = await walk(pool)
        (seat,) = await pool.open(1)
        last = await seat.step("take lamp")
        met = await pool.meeting()
    assert replies[0].observation.startswith("It is dark. ")
    assert replies[1].admissible_actions == ("east", "west") and replies[1].state_key is None
    assert (last.reward, last.terminated, last.truncated, last.info) == (
        1,
        True,
        False,
        {"won": True},
    )
    assert (met.kind, met.card.id, met.card.version, met.card.deterministic) == (
        ("openenv", "dark", "2.0", False)
    )
    sent = [frame["data"] for frame in double.frames]
    assert sent[0].keys() == {"seed", "episode_id"} and sent[0]["seed"] == 7
    assert sent[1:] == [{"command": action} for action in (*PATH, "take lamp")]


async def test_options_go_into_every_reset_and_a_turn_limit_is_kept_here(
    double: OpenEnvDouble,
) -> None:
    async with far(double, options={"level": "hard", "max_steps": 2}) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(replace(TASK, options={"task": "t3"}))
        ends = [(await seat.step("east")).truncated for _ in range(2)]
        with pytest.raises(EpisodeError, match="over"):
            await seat.step("east")
    data = double.frames[0]["data"]
    assert (data["level"], data["task"]) == ("hard", "t3") and "max_steps" not in data
    assert ends == [False, True]


@pytest.mark.parametrize("nth", [0, 2, 4])
async def test_a_cut_socket_costs_nothing_where_seeds_are_honoured(
    double: OpenEnvDouble, nth: int
) -> None:
    async with far(double) as pool:
        clean = await walk(pool)
        double.habits.drop = once(lambda frame: frame["type"] == "step", nth)
        assert await walk(pool) == clean
        assert pool.rebuilt == 1 and double.alive == 1


async def test_a_cut_socket_between_two_calls_is_noticed(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        clean = await walk(pool)
        (seat,) = await pool.open(1)
        got = [await seat.reset(TASK)]
        for action in PATH:
            double.cut()
            got.append(await seat.step(action))
        assert got == clean and pool.rebuilt == len(PATH)


async def test_a_lost_reset_is_made_again(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        clean = await walk(pool)
        double.habits.drop = once(lambda frame: frame["type"] == "reset")
        assert await walk(pool) == clean and pool.rebuilt == 0


async def test_where_seeds_are_ignored_the_episode_is_lost_and_said_to_be() -> None:
    with OpenEnvDouble(honours_seeds=False) as double:
        async with far(double) as pool:
            (seat,) = await pool.open(1)
            await seat.reset(TASK)
            await seat.step("east")
            double.cut()
            with pytest.raises(EpisodeLost, match="does not begin equally for equal seeds"):
                await seat.step("west")
            with pytest.raises(EpisodeLost):
                await seat.step("west")
            assert (await seat.reset(TASK)).observation.startswith("It is dark.")


async def test_a_session_that_outlives_its_socket_is_played_on() -> None:
    with OpenEnvDouble(keeps_sessions=True, honours_seeds=False) as double:
        async with far(double) as pool:
            (seat,) = await pool.open(1)
            await seat.reset(TASK)
            await seat.step("east")
            double.cut()
            reply = await seat.step("west")
            assert reply.observation.startswith("You west.") and pool.rebuilt == 0
            # The next one is applied, and only its answer is lost: that cannot be made good here.
            double.habits.drop = once(lambda frame: frame["type"] == "step")
            with pytest.raises(EpisodeLost):
                await seat.step("west")


async def test_a_replay_that_leaves_the_path_is_an_episode_lost(double: OpenEnvDouble) -> None:
    def other(frame: Tree, told: Tree) -> Tree:
        if frame["type"] == "step" and frame["data"]["command"] == "west":
            told["data"]["observation"]["text"] = f"A draught. {next(noise)}"
        return told

    noise = itertools.count()
    double.habits.answer = other
    async with far(double) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(TASK)
        for action in PATH[:3]:
            await seat.step(action)
        double.cut()
        with pytest.raises(EpisodeLost, match="left the recorded path at reply 2") as caught:
            await seat.step("east")
        assert caught.value.code == "REPLAY_DIVERGED"


async def test_an_action_that_always_cuts_the_socket_ends_the_episode(
    double: OpenEnvDouble,
) -> None:
    double.habits.drop = lambda frame: frame.get("data", {}).get("command") == "west"
    async with far(double, retries=2) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(TASK)
        with pytest.raises(EpisodeLost, match="2 attempts"):
            await seat.step("west")
        assert (await seat.reset(TASK)).observation


async def test_another_server_takes_the_episode_over(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        clean = await walk(pool)
    dying = OpenEnvDouble()
    with dying:
        pool = far(dying, double)
        (seat,) = await pool.open(1)
        if double.alive:
            (_, seat) = await pool.open(2)
        got = [await seat.reset(TASK), await seat.step(PATH[0])]
    async with pool:
        got += [await seat.step(action) for action in PATH[1:]]
        assert got == clean and pool.rebuilt == 1


async def test_a_full_server_is_waited_for(double: OpenEnvDouble) -> None:
    double.habits.capacity = 1
    async with far(double) as first, far(double, create_s=10) as second:
        await first.open(1)
        opening = asyncio.create_task(second.open(1))
        await asyncio.sleep(0.3)
        assert not opening.done()
        await first.aclose()
        await opening


async def test_a_server_that_stays_full_is_told_of(double: OpenEnvDouble) -> None:
    double.habits.capacity = 1
    async with far(double, create_s=0.5) as pool:
        with pytest.raises(ServerError, match=r"no free session.*\(1 of 1\)") as caught:
            await pool.open(2)
    assert caught.value.code == "CAPACITY_REACHED"
    await _settle(lambda: double.alive == 0)


async def test_errors_of_the_server_have_names(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(TASK)
        with pytest.raises(EnvCodeError, match=r"the lamp exploded \(EXECUTION_ERROR\)"):
            await seat.step("boom")
        assert (await seat.step("east")).observation.startswith("You east.")
        double.habits.answer = lambda frame, told: error_frame("no\x1b[31m", "VALIDATION_ERROR")
        with pytest.raises(BadOption, match=r"no \[31m \(VALIDATION_ERROR\)"):
            await seat.step("east")


@pytest.mark.parametrize(
    "sent",
    [
        "no json",
        "[]",
        '{"type":"observation"}',
        '{"type":"state","data":{}}',
        '{"type":"observation","data":{"observation":7,"reward":0,"done":false}}',
        '{"type":"observation","data":{"observation":{"text":"x"},"reward":NaN,"done":false}}',
        '{"type":"observation","data":{"observation":{"text":"x"},"reward":1e999,"done":false}}',
        '{"type":"observation","data":{"observation":{"text":"x"},"reward":"1","done":false}}',
        '{"type":"observation","data":{"observation":{"text":"x"},"reward":0,"done":"no"}}',
        json.dumps({"type": "observation", "data": "x" * (17 * 2**20)}),
        "[" * 100_000,
    ],
    ids=range(11),
)
async def test_what_is_no_reply_is_refused(double: OpenEnvDouble, sent: str) -> None:
    async with far(double) as pool:
        clean = await walk(pool)
        (seat,) = await pool.open(1)
        got = [await seat.reset(TASK), await seat.step(PATH[0])]
        double.habits.answer = lambda frame, told: sent if frame["type"] == "step" else told
        with pytest.raises(ServerError, match="broke the protocol") as caught:
            await seat.step(PATH[1])
        assert caught.value.code == "PROTOCOL"
        double.habits.answer = lambda frame, told: told
        got += [await seat.step(action) for action in PATH[1:]]
        assert got == clean


async def test_a_silent_server_costs_the_deadline_and_no_more(double: OpenEnvDouble) -> None:
    async with far(double, deadline_s=0.5) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(TASK)
        double.habits.answer = lambda frame, told: None
        began = time.monotonic()
        with pytest.raises(EpisodeLost, match=rf"{double.url}/ws gave no answer within 0.5 s"):
            await seat.step("east")
        assert time.monotonic() - began < 10
        with pytest.raises(ServerUnreachable, match="no answer"):
            await seat.reset(TASK)


async def test_a_cancelled_call_leaves_no_answer_for_the_next_one(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        clean = await walk(pool)
        (seat,) = await pool.open(1)
        got = [await seat.reset(TASK)]
        double.habits.answer = lambda frame, told: None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(seat.step("east"), 0.2)
        double.habits.answer = lambda frame, told: told
        got += [await seat.step(action) for action in PATH]
        assert got == clean


async def test_halves_of_surrogates_reach_neither_side(double: OpenEnvDouble) -> None:
    async with far(double) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(TASK)
        reply = await seat.step("say \ud800")
        assert double.frames[-1]["data"]["command"] == "say \\ud800"
        assert reply.observation.startswith("You say \\ud800.")
        odd = {"observation": {"content": "\udfff"}, "reward": None, "done": False}
        double.habits.answer = lambda frame, told: {"type": "observation", "data": odd}
        assert (await seat.step("east")).observation == "\\udfff"


async def test_the_schema_says_where_an_action_goes(double: OpenEnvDouble) -> None:
    text, number = {"type": "string"}, {"type": "integer"}
    for fields, required in (
        ({"command": text, "volume": number}, ["command", "volume"]),
        ({"command": number}, ["command"]),
        ({"command": text}, []),
    ):
        double.habits.action = {"properties": fields, "required": required}
        async with far(double) as pool:
            with pytest.raises(BadOption, match=r"not exactly one required text field.*command"):
                await pool.open(1)
    shape = Shape(action_field="command")
    async with far(double, shape=shape) as pool:
        assert len(await walk(pool)) == 6
    double.habits.action = {
        "properties": {"command": text, "kind": text},
        "required": ["command", "kind"],
    }
    async with far(double, shape=Shape(action_rest={"kind": "say"})) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(TASK)
        with pytest.raises(BadOption):
            await seat.step("east")
        assert double.frames[-1]["data"] == {"kind": "say", "command": "east"}
    async with far(double, shape=Shape(action_field="words")) as pool:
        with pytest.raises(BadOption, match="no field 'words'; they have: command, kind"):
            await pool.open(1)


async def test_a_token_is_sent_and_a_wrong_one_is_told_of() -> None:
    with OpenEnvDouble(token="right") as double:
        async with far(double, token="right") as pool:
            assert len(await walk(pool)) == 6
        for token in (None, "wrong"):
            async with far(double, token=token) as pool:
                with pytest.raises(ServerError, match="token") as caught:
                    await pool.open(1)
                assert caught.value.code == "UNAUTHORIZED"


async def test_a_server_plays_one_environment(double: OpenEnvDouble) -> None:
    for name in ("dark", "Dark-v0", "dark_env", "DarkEnvironment"):
        pool = seat_pool(Target(urls=(double.url,), env=name), {}, QUICK)
        assert (await pool.meeting()).card.id == name
    pool = seat_pool(Target(urls=(double.url,), env="light"), {}, QUICK)
    with pytest.raises(UnknownEnv, match="an OpenEnv server of dark, dark_env, not of 'light'"):
        await pool.open(1)


async def test_closing_leaves_no_socket_and_no_task(double: OpenEnvDouble) -> None:
    before = asyncio.all_tasks()
    async with far(double) as pool:
        await pool.open(4)
        assert double.alive == 4
    await _settle(lambda: double.alive == 0 and asyncio.all_tasks() == before)
    with pytest.raises(ServerError, match="closed"):
        await pool.open(1)


async def test_closing_ends_the_calls_under_way(double: OpenEnvDouble) -> None:
    pool = far(double, deadline_s=30)
    (seat,) = await pool.open(1)
    await seat.reset(TASK)
    double.habits.answer = lambda frame, told: None
    waiting = asyncio.create_task(seat.step("east"))
    await _settle(lambda: len(double.frames) == 2)
    await pool.aclose()
    with pytest.raises(ServerError, match="closed"):
        await waiting
    await _settle(lambda: double.alive == 0)


async def test_a_redirect_is_not_followed(double: OpenEnvDouble) -> None:
    class Moved(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(302, headers={"Location": double.url + request.url.path})

    target = Target(urls=("http://moved.localhost",))
    pool = seat_pool(target, {}, replace(QUICK, transport=lambda url: Moved()))
    with pytest.raises(ServerError, match=r"GET /v1/info answered HTTP 302"):
        await pool.open(1)
    assert double.opened == 0


async def _settle(true: Callable[[], bool]) -> None:
    """Wait until something is true that takes a moment."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)

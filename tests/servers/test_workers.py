"""Worker processes: whatever an environment does to its process, other sessions do not notice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from corridor_env import Corridor
from http_door import SPEC, Door, Tree, error_of, open_door
from stubborn_env import Stubborn

from gigym.envs import TextEnv
from gigym.servers import HostedEnv

STUBBORN = (HostedEnv(id="Stubborn-v0"), HostedEnv(id="Moody-v0"))


@asynccontextmanager
async def working(workers: int = 1, **limits: float) -> AsyncIterator[Door]:
    """A server whose sessions are all in workers; steps may take a second."""
    spec = replace(SPEC, envs=(*SPEC.envs, *STUBBORN), workers=workers)
    async with open_door(spec, None, **{"step_s": 1.0, "reset_s": 20.0, **limits}) as door:
        yield door


async def steps(door: Door, sids: list[str], n: int, action: str, **others: str) -> list[Tree]:
    """One step of every session; `others` have actions of their own."""
    items = [{"sid": s, "ep": 1, "n": n, "action": others.get(s, action)} for s in sids]
    return await door.items("/v1/step", *items)


async def begin(door: Door, env: str, count: int) -> list[str]:
    sids = await door.lease(env, count=count)
    items = [{"sid": sid, "ep": 0, "seed": seed} for seed, sid in enumerate(sids)]
    assert all("reply" in result for result in await door.items("/v1/reset", *items))
    return sids


def kill(door: Door) -> None:
    for pid in door.host.pool.pids:
        os.kill(pid, signal.SIGKILL)


def seen(results: list[Tree]) -> list[str]:
    return [result["reply"]["observation"] for result in results]


def expected(kind: type[TextEnv], count: int, actions: list[str]) -> list[list[str]]:
    """What sessions with the seeds 0, 1, ... see in this process, action by action."""
    envs = [kind() for _ in range(count)]
    for seed, env in enumerate(envs):
        env.start(seed)
    return [[env.answer(action).observation for env in envs] for action in actions]


async def test_killed_workers_are_replaced_and_32_sessions_go_on_as_they_would_have() -> None:
    actions = ["east", "look", "east", "west", "east", "look"]
    async with working(2) as door:
        sids = await begin(door, "Corridor-v0", 32)
        assert len(door.host.pool.pids) == 2
        for n, want in enumerate(expected(Corridor, 32, actions)):
            if n in (2, 4):
                kill(door)
            assert seen(await steps(door, sids, n, actions[n])) == want
        again = await steps(door, sids, 5, "look")
        assert all(result["replayed"] for result in again)


async def test_a_worker_killed_under_way_costs_no_session_anything() -> None:
    async with working() as door:
        sids = await begin(door, "Stubborn-v0", 8)
        under_way = asyncio.create_task(steps(door, sids, 0, "count", **{sids[3]: "nap"}))
        await asyncio.sleep(0.1)
        kill(door)
        assert seen(await under_way) == [f"{seed * 1000 + 1} \u00e9" for seed in range(8)]


@pytest.mark.parametrize("action", ["sleep", "spin"])
async def test_a_step_that_hangs_is_a_timeout_of_its_session_alone(action: str) -> None:
    async with working() as door:
        sids = await begin(door, "Stubborn-v0", 4)
        results = await steps(door, sids, 0, "count", **{sids[1]: action})
        error = results.pop(1)["error"]
        assert (error["code"], error["retryable"]) == ("TIMEOUT", True)
        assert "Stubborn-v0 gave no answer within 1 s" in error["message"]
        assert seen(results) == ["1 \u00e9", "2001 \u00e9", "3001 \u00e9"]
        lost = await door.item("/v1/step", sid=sids[1], ep=1, n=0, action="count")
        assert lost["error"]["code"] == "WORKER_LOST"
        assert len(door.host.store) == 3


async def test_a_step_that_ends_its_process_is_tried_twice_and_lost_alone(tmp_path: Path) -> None:
    async with working() as door:
        sids = await begin(door, "Stubborn-v0", 4)
        once = f"once {tmp_path / 'flag'}"
        results = await steps(door, sids, 0, "count", **{sids[1]: once, sids[2]: "exit"})
        error = results.pop(2)["error"]
        assert error["code"] == "WORKER_LOST" and "ended its worker process" in error["message"]
        assert seen(results) == ["1 \u00e9", "1001 \u00e9", "3001 \u00e9"]


async def test_ten_faults_among_64_sessions_leave_the_others_as_they_are(tmp_path: Path) -> None:
    faults = ["sleep", "exit", f"once {tmp_path / 'a'}", "spin", "exit", f"once {tmp_path / 'b'}"]
    faults += ["sleep", "raise", "raise", f"once {tmp_path / 'c'}"]
    async with working(2, step_s=0.5) as door:
        sids = await begin(door, "Stubborn-v0", 64)
        first, second, third = expected(Stubborn, 64, ["count"] * 3)
        assert seen(await steps(door, sids, 0, "count")) == first
        evil = {sids[6 * i]: fault for i, fault in enumerate(faults)}
        results = await steps(door, sids, 1, "count", **evil)
        codes = [results[6 * i].get("error", {}).get("code", "ok") for i in range(10)]
        lost, gone = "WORKER_LOST", "ENV_ERROR"
        assert codes == ["TIMEOUT", lost, "ok", "TIMEOUT", lost, "ok", "TIMEOUT", gone, gone, "ok"]
        sound = [i for i, result in enumerate(results) if "reply" in result]
        assert seen([results[i] for i in sound]) == [second[i] for i in sound]
        later = await steps(door, [sids[i] for i in sound], 2, "count")
        assert seen(later) == [third[i] for i in sound]


async def test_what_an_environment_raised_is_remembered_by_the_next_process() -> None:
    async with working() as door:
        (sid,) = await begin(door, "Stubborn-v0", 1)
        first = await steps(door, [sid], 0, "raise")
        kill(door)
        assert await steps(door, [sid], 0, "count") == first
        assert (await door.item("/v1/reset", sid=sid, ep=1, seed=5))["ep"] == 2


@pytest.mark.parametrize("env", ["Corridor-v0", "Hallway-v0"])
async def test_forks_and_restored_sessions_outlive_their_process(env: str) -> None:
    async with working() as door:
        (sid,) = await begin(door, env, 1)
        await steps(door, [sid], 0, "east")
        snapshot = (await door.item("/v1/snapshot", sid=sid))["snapshot"]
        (child,) = (await door.item("/v1/fork", sid=sid, count=1))["children"]
        (other,) = await door.lease(env)
        await door.item("/v1/restore", sid=other, ep=0, snapshot=snapshot)
        sids = [sid, child["sid"], other]
        await steps(door, sids, 1, "west")
        kill(door)
        want = expected(Corridor, 1, ["east", "west", "east"])[2]
        assert seen(await steps(door, sids, 2, "east")) == want * 3
        views = [(await door.http.get(f"/v1/sessions/{sid}")).json() for sid in sids]
        assert [(view["ep"], view["n"]) for view in views] == [(1, 3)] * 3


async def test_an_episode_that_does_not_repeat_is_lost_with_its_process() -> None:
    async with working() as door:
        (moody,) = await begin(door, "Moody-v0", 1)
        (dice,) = await begin(door, "Dice-v0", 1)
        (fresh,) = await door.lease("Dice-v0")
        kill(door)
        words = {moody: "could not be played again", dice: "is not deterministic"}
        for sid, said in words.items():
            (result,) = await steps(door, [sid], 0, "roll")
            assert result["error"]["code"] == "WORKER_LOST" and said in result["error"]["message"]
            assert sid not in door.host.store
        assert "reply" in await door.item("/v1/reset", sid=fresh, ep=0, seed=1)


async def test_an_environment_that_is_never_built_is_a_timeout_of_its_request() -> None:
    async with working(reset_s=1.0) as door:
        (sid,) = await begin(door, "Stubborn-v0", 1)
        body: Tree = {"env": "Stubborn-v0", "options": {"asleep": True}, "count": 2}
        answer = await door.post("/v1/sessions", body)
        assert (answer.status_code, error_of(answer)["code"]) == (504, "TIMEOUT")
        assert seen(await steps(door, [sid], 0, "count")) == ["1 \u00e9"]
        assert (len(door.host.store), door.host.store.reserved) == (1, 0)


async def test_workers_that_cannot_start_are_said_and_not_waited_for() -> None:
    spec = replace(SPEC, workers=1, imports=("no_such_module",))
    async with open_door(spec) as door:
        answer = await door.post("/v1/sessions", {"env": "Corridor-v0"})
        assert (answer.status_code, error_of(answer)["code"]) == (503, "WORKER_LOST")
        assert "no_such_module" in error_of(answer)["message"]
        ready = await door.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "failing"})


async def test_a_server_is_starting_until_its_workers_are_ready() -> None:
    async with working() as door:
        door.host.open()
        ready = await door.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "starting"})
        await door.lease()
        assert (await door.http.get("/readyz")).json() == {"status": "ready"}


async def test_a_server_that_closes_starts_no_further_worker() -> None:
    async with working() as door:
        (sid,) = await begin(door, "Corridor-v0", 1)
        await door.host.close()
        assert (await steps(door, [sid], 0, "east"))[0]["error"]["code"] == "WORKER_LOST"
        answer = await door.post("/v1/sessions", {"env": "Corridor-v0"})
        assert (answer.status_code, error_of(answer)["code"]) == (503, "DRAINING")
        assert door.host.pool.pids == ()


SCRIPT = """
from gigym.envs import BadOption, EnvCard, Reply, TextEnv, register
from gigym.servers import HostedEnv, ServerSpec
from gigym.servers.host import Host

class Mine(TextEnv):
    card = EnvCard(id="Mine-v0", version="1.0.0", summary="of a script")

register(Mine.card, "__main__:Mine")
Host(ServerSpec(envs=(HostedEnv(id="Mine-v0"),)))
try:
    Host(ServerSpec(envs=(HostedEnv(id="Mine-v0"),), workers=1))
except BadOption as error:
    print(error)
"""


def test_an_environment_of_the_main_script_is_refused_where_workers_cannot_import_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    said = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=60
    )
    assert "put it into a module" in said.stdout, said.stderr


async def test_only_what_is_isolated_goes_to_workers_unless_told_otherwise() -> None:
    spec = replace(SPEC, envs=STUBBORN)
    async with open_door(spec) as door:
        await door.lease("Stubborn-v0")
        assert door.host.pool.pids == ()
        await door.lease("Stubborn-v0", options={"apart": True})
        assert door.host.pool.pids != ()
    async with open_door(replace(spec, workers=0)) as door:
        await door.lease("Stubborn-v0", options={"apart": True})
        assert door.host.pool.pids == ()


async def test_what_ended_is_free_in_the_worker_and_sessions_spread() -> None:
    async with working(2) as door:
        sids = await begin(door, "Corridor-v0", 8)
        sizes = [len(worker.seats) for worker in door.host.pool.workers]
        assert sizes == [4, 4]
        closed: list[Any] = await door.items("/v1/close", *[{"sid": sid} for sid in sids])
        assert all(result["closed"] for result in closed)
        assert [len(worker.seats) for worker in door.host.pool.workers] == [0, 0]
        assert (await steps(door, sids[:1], 0, "east"))[0]["error"]["code"] == "SESSION_UNKNOWN"

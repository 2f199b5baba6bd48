"""What workers leave behind when they and their server end: nothing."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from http_door import SPEC, Tree, open_door

from gigym.servers import HostedEnv, LocalServer, ServerSpec

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
STUBBORN = ServerSpec(
    envs=(HostedEnv(id="Stubborn-v0"),),
    port=0,
    workers=1,
    imports=("stubborn_env",),
    grace_s=0.0,
)


def children(pid: int) -> dict[int, str]:
    """Processes that a process started, and their states."""
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = entry.read_text().partition(" ")
        except OSError:
            continue
        state, parent = rest.rpartition(")")[2].split()[:2]
        if int(parent) == pid:
            found[int(number)] = state
    return found


def running(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def wait_for(happened: Callable[[], object], seconds: float = 20.0) -> bool:
    give_up_at = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True


def play(http: httpx.Client, action: str) -> Tree:
    """Lease a session and begin an episode; the request of its first step."""
    answer = http.post("/v1/sessions", json={"env": "Stubborn-v0"}).json()
    sid = answer["sessions"][0]["sid"]
    http.post("/v1/reset", json={"items": [{"sid": sid, "ep": 0, "seed": 0}]})
    return {"items": [{"sid": sid, "ep": 1, "n": 0, "action": action}]}


def test_a_server_that_is_stopped_finishes_its_steps_and_leaves_no_process() -> None:
    with LocalServer(STUBBORN) as server, httpx.Client(base_url=server.url, timeout=30) as http:
        body = play(http, "count")
        (first, *_) = children(server.pid)
        os.kill(first, signal.SIGKILL)
        assert "reply" in http.post("/v1/step", json=body).json()["results"][0]
        assert wait_for(lambda: first not in children(server.pid)), "a worker was not reaped"
        pids = [server.pid, *children(server.pid)]
        nap = play(http, "nap")
        stop = threading.Timer(0.1, os.kill, (server.pid, signal.SIGTERM))
        stop.start()
        assert "reply" in http.post("/v1/step", json=nap).json()["results"][0]
        assert wait_for(lambda: not running(pids)), running(pids)


def test_a_server_that_is_killed_takes_busy_workers_along() -> None:
    with LocalServer(STUBBORN) as server, httpx.Client(base_url=server.url, timeout=30) as http:
        body = play(http, "spin")
        with pytest.raises(httpx.TimeoutException):
            http.post("/v1/step", json=body, timeout=0.5)
        pids = list(children(server.pid))
        os.kill(server.pid, signal.SIGKILL)
        assert wait_for(lambda: not running(pids)), running(pids)


async def test_a_host_that_is_closed_gives_back_processes_files_and_tasks() -> None:
    files = len(os.listdir("/proc/self/fd"))
    tasks = len(asyncio.all_tasks())
    others = set(children(os.getpid()))
    spec = ServerSpec(envs=SPEC.envs, workers=1)
    async with open_door(spec) as door:
        await door.lease(count=4)
        for pid in door.host.pool.pids:
            os.kill(pid, signal.SIGKILL)
        await door.item("/v1/reset", sid=(await door.lease())[0], ep=0, seed=1)
    assert set(children(os.getpid())) <= others
    assert (len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks())) == (files, tasks)

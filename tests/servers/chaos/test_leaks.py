"""Sessions that are abandoned, sockets that are dropped, resets in storms: nothing stays behind."""

import asyncio
import gc
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from corridor_env import Corridor
from http_door import Clock, Door, open_door
from raw_http import dial, exchange, get, open_files, post, request, resident_kb, wait_until
from websockets.asyncio.client import connect

from gigym.servers import HostedEnv, Limits, LocalServer, ServerSpec

ROUNDS = int(os.environ.get("GIGYM_LEAK_ROUNDS", "10"))
"""Rounds of a hundred sessions; 100 rounds are the 10,000 sessions of the promise."""
SPEC = ServerSpec(
    envs=(HostedEnv(id="Corridor-v0"),),
    port=0,
    imports=("corridor_env",),
    limits=Limits(body_s=1.0, head_s=1.0, memory_s=1.0),
)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(SPEC) as server:
        yield server


async def abandon(door: Door, clock: Clock) -> None:
    """A hundred sessions, each with an episode under way, that nobody comes back to."""
    sids = await door.lease(count=100, lease_s=5, wait_s=0)
    await door.items("/v1/reset", *({"sid": sid, "ep": 0, "seed": 1} for sid in sids))
    steps = ({"sid": sid, "ep": 1, "n": 0, "action": "east"} for sid in sids)
    await door.items("/v1/step", *steps)
    clock.now += 6
    door.host.store.sweep()


async def test_abandoned_sessions_leave_no_memory_and_no_task() -> None:
    clock = Clock()
    async with open_door(clock=clock, sessions=100, memory_s=60.0) as door:
        for _ in range(3):
            await abandon(door, clock)
        clock.now += 61
        door.host.store.sweep()
        gc.collect()
        alive, tasks = corridors(), len(asyncio.all_tasks())
        before = resident_kb(os.getpid())
        for _ in range(ROUNDS):
            await abandon(door, clock)
        assert len(door.host.store) == 0 and door.host.store.free == 100
        clock.now += 61
        door.host.store.sweep()
        gc.collect()
        assert corridors() <= alive, "environments outlive their sessions"
        assert len(asyncio.all_tasks()) == tasks
        assert resident_kb(os.getpid()) < before * 1.05


def corridors() -> int:
    # Some modules warn when their objects are asked for their class.
    return sum(type(thing) is Corridor for thing in gc.get_objects())


def test_a_real_server_returns_to_where_it_was(server: LocalServer) -> None:
    lease = {"env": "Corridor-v0", "count": 100, "lease_s": 0.2}

    def round_of_a_hundred() -> None:
        sids = [held["sid"] for held in post(server.url, "/v1/sessions", lease).tree["sessions"]]
        post(server.url, "/v1/reset", {"items": [{"sid": s, "ep": 0, "seed": 1} for s in sids]})

    for _ in range(2):
        round_of_a_hundred()
    wait_until(lambda: held(server) == 0, "leases end")
    files, memory = open_files(server.pid), resident_kb(server.pid)
    for _ in range(ROUNDS):
        wait_until(lambda: held(server) <= 900, "there is room")
        round_of_a_hundred()
    wait_until(lambda: held(server) == 0, "leases end")
    assert open_files(server.pid) <= files
    assert resident_kb(server.pid) < memory * 1.05 + 4096


def held(server: LocalServer) -> int:
    info = get(server.url, "/v1/info").tree
    return info["limits"]["sessions"] - info["free"]


async def test_a_storm_of_resets_keeps_one_episode_a_session() -> None:
    async with open_door() as door:
        sids = await door.lease(count=20)
        gc.collect()
        alive = len(gc.get_objects())
        for ep in range(25):
            await door.items("/v1/reset", *({"sid": s, "ep": ep, "seed": ep} for s in sids))
        gc.collect()
        assert len(gc.get_objects()) < alive + 200 * len(sids)


async def test_sockets_that_are_dropped_leave_their_sessions_and_nothing_else(
    server: LocalServer,
) -> None:
    leased = post(server.url, "/v1/sessions", {"env": "Corridor-v0"}).tree
    sid = leased["sessions"][0]["sid"]
    files = open_files(server.pid)
    url = server.url.replace("http", "ws") + "/v1/ws"
    for round_ in range(5):
        lines = [await connect(url, compression=None) for _ in range(20)]
        for number, line in enumerate(lines):
            frame = {"id": number, "call": "renew", "items": [{"sid": sid}] * (round_ + 1)}
            await line.send(json.dumps(frame))
            if number % 2:
                line.transport.abort()
            else:
                await line.close()
    await asyncio.to_thread(
        wait_until, lambda: open_files(server.pid) <= files, "the sockets are closed"
    )
    assert get(server.url, f"/v1/sessions/{sid}").status == 200
    post(server.url, "/v1/close", {"items": [{"sid": sid}]})


def test_half_open_connections_are_let_go(server: LocalServer) -> None:
    files = open_files(server.pid)
    body = request("POST", "/v1/step", b'{"it', {"Content-Length": "1000"})
    lines = [dial(server.url) for _ in range(300)]
    try:
        for number, line in enumerate(lines):
            line.sendall((b"", b"GET /hea", body)[number % 3])
        wait_until(lambda: open_files(server.pid) >= files + 250, "they are open")
        assert get(server.url, "/healthz").status == 200
        wait_until(lambda: open_files(server.pid) <= files, "they are cut")
    finally:
        for line in lines:
            line.close()
    assert exchange(server.url, request("GET", "/readyz", None, {})).status == 200
    assert Path(f"/proc/{server.pid}").exists() and server.restarts == 0

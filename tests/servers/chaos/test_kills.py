"""`kill -9` of workers, servers and clients: episodes end as if nothing had happened."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from counting_env import COUNTING
from far_seats import QUICK, in_process, play
from raw_http import get, open_files, wait_until

from gigym.envs import Reply, Task
from gigym.envs.pool import Seat
from gigym.envs.remote import RemotePool
from gigym.servers import HostedEnv, LocalServer, Patience, ServerSpec

GAMES, STEPS = 40, 25
PATIENT = replace(QUICK, deadline_s=40.0, create_s=40.0, retries=100)
HELPERS = Path(__file__).parents[2] / "helpers"


def counting(ledger: Path | str = "", **more: int) -> ServerSpec:
    env = HostedEnv(id=COUNTING.id, options={"ledger": str(ledger)})
    return replace(ServerSpec(envs=(env,), port=0, imports=("counting_env",)), **more)


async def disturbed(
    seats: Sequence[Seat], blow: Callable[[], object], blows: int
) -> list[list[Reply]]:
    """A game in each seat; blows fall at even distances."""
    steps, due = 0, [GAMES * STEPS * (i + 1) // (blows + 1) for i in range(blows)]

    async def count(turn: int) -> None:
        nonlocal steps
        steps += 1
        if due and steps >= due[0]:
            due.pop(0)
            await asyncio.to_thread(blow)

    games = (
        play(seat, i, env=COUNTING.id, steps=STEPS, hook=count) for i, seat in enumerate(seats)
    )
    played = list(await asyncio.gather(*games))
    assert not due, "not all blows fell"
    return played


async def undisturbed() -> list[list[Reply]]:
    return await in_process(GAMES, env=COUNTING.id, steps=STEPS)


def executions(ledger: Path) -> Counter[str]:
    """How often each step was executed in each process."""
    return Counter(ledger.read_text().splitlines())


def sessions(server: LocalServer) -> int:
    info = get(server.url, "/v1/info").tree
    return info["limits"]["sessions"] - info["free"]


async def test_a_server_killed_again_and_again_loses_no_episode(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    with LocalServer(counting(ledger)) as server:
        async with RemotePool([server.url], COUNTING.id, {}, client=PATIENT) as pool:
            seats = await pool.open(GAMES)
            got = await disturbed(seats, lambda: kill_and_wait(server), blows=3)
            assert pool.rebuilt >= 3 * GAMES // 2
        assert server.restarts == 3 and sessions(server) == 0
    assert got == await undisturbed()
    assert set(executions(ledger).values()) == {1}


def kill_and_wait(server: LocalServer) -> None:
    pid = server.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: server.pid != pid, "it is started again", 30)


async def test_one_of_two_servers_killed_leaves_its_episodes_to_the_other(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    mortal = LocalServer(counting(ledger), patience=Patience(restarts=0))
    with mortal, LocalServer(counting(ledger)) as other:
        urls = [mortal.url, other.url]
        async with RemotePool(urls, COUNTING.id, {}, client=PATIENT) as pool:
            seats = await pool.open(GAMES)
            assert sessions(mortal) == GAMES // 2
            got = await disturbed(seats, lambda: os.kill(mortal.pid, signal.SIGKILL), blows=1)
            assert GAMES // 2 <= pool.rebuilt <= GAMES and sessions(other) == GAMES
        assert sessions(other) == 0
    assert got == await undisturbed()
    assert set(executions(ledger).values()) == {1}


async def test_a_server_told_to_stop_hands_its_episodes_to_the_other(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    leaving = LocalServer(counting(ledger, grace_s=20), patience=Patience(restarts=0))
    with leaving, LocalServer(counting(ledger)) as other:
        urls = [leaving.url, other.url]
        async with RemotePool(urls, COUNTING.id, {}, client=PATIENT) as pool:
            seats = await pool.open(GAMES)
            got = await disturbed(seats, lambda: os.kill(leaving.pid, signal.SIGTERM), blows=1)
            assert (pool.handed_over, pool.rebuilt) == (GAMES // 2, 0)
        assert sessions(other) == 0
    assert got == await undisturbed()
    assert set(executions(ledger).values()) == {1}


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers by their ledger")
async def test_workers_killed_in_mid_run_are_replaced_and_their_episodes_go_on(
    tmp_path: Path,
) -> None:
    ledger = tmp_path / "ledger"
    killed: list[int] = []

    def kill_a_worker() -> None:
        alive = {int(line.split()[0]) for line in executions(ledger)} - set(killed)
        assert server.pid not in alive, "the environments are not in workers"
        killed.append(min(alive))
        os.kill(killed[-1], signal.SIGKILL)

    with LocalServer(counting(ledger, workers=2)) as server:
        async with RemotePool([server.url], COUNTING.id, {}, client=PATIENT) as pool:
            seats = await pool.open(GAMES)
            got = await disturbed(seats, kill_a_worker, blows=3)
            assert pool.rebuilt == 0, "the server plays its sessions again, not the client"
        assert server.restarts == 0 and sessions(server) == 0
        workers = {int(line.split()[0]) for line in executions(ledger)}
        assert len(killed) == 3 and len(workers) >= 4
        assert not any(Path(f"/proc/{pid}").exists() for pid in killed), "not reaped"
    assert got == await undisturbed()
    assert set(executions(ledger).values()) == {1}
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers), "workers outlive the server"


CLIENT = """
import asyncio
import sys
from dataclasses import replace
from counting_env import COUNTING
from far_seats import QUICK, play_all
from gigym.envs.remote import RemotePool

async def main():
    client = replace(QUICK, lease_s=1.0)
    async with RemotePool([sys.argv[1]], COUNTING.id, {}, client=client) as pool:
        seats = await pool.open(20)
        print("playing", flush=True)
        while True:
            await play_all(seats, env=COUNTING.id)

asyncio.run(main())
"""


async def test_sessions_of_a_killed_client_end_with_their_lease() -> None:
    with LocalServer(counting()) as server:
        async with RemotePool([server.url], COUNTING.id, {}, client=PATIENT) as pool:
            (seat,) = await pool.open(1)
            got = [await seat.reset(Task(env=COUNTING.id, seed=3))]
            files = open_files(server.pid)
            path = os.pathsep.join([str(HELPERS), *filter(None, sys.path)])
            client = subprocess.Popen(
                [sys.executable, "-c", CLIENT, server.url],
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
            )
            assert client.stdout is not None
            with client.stdout:
                assert client.stdout.readline() == b"playing\n"
                assert sessions(server) == 21
                await asyncio.sleep(0.3)
                client.kill()
                client.wait()
            await asyncio.to_thread(wait_until, lambda: sessions(server) == 1, "leases end")
            wait_until(lambda: open_files(server.pid) <= files, "its connections are closed")
            got.append(await seat.step("red"))
            assert pool.rebuilt == 0
    ((expected,),) = await in_process(1, env=COUNTING.id, first=3, steps=0)
    assert got[0] == expected and got[1].observation.startswith("After 1 ")

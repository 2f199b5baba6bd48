"""Servers in child processes: they start, are watched, and end; nothing is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from far_seats import QUICK, in_process, play, play_all

from gigym.envs import BadOption, ServerUnreachable, Task, UnknownEnv
from gigym.envs.pool import LocalPool
from gigym.envs.remote import RemotePool, server_info
from gigym.servers import HostedEnv, LocalServer, Patience, ServerSpec, ServerStartError

CORRIDOR = ServerSpec(envs=(HostedEnv(id="Corridor-v0"),), port=0, imports=("corridor_env",))
PATIENT = replace(QUICK, deadline_s=30.0)


def is_gone(pid: int) -> bool:
    """No process, not even one that waits to be reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(wish: Callable[[], bool], deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not wish():
        assert time.monotonic() < end, "the wait took too long"
        time.sleep(0.02)


async def test_a_server_plays_ends_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pydantic.py").write_text("raise SystemExit('imported from the working folder')")
    monkeypatch.chdir(tmp_path)
    with LocalServer(CORRIDOR) as server:
        pid, url, log = server.pid, server.url, server.log
        async with RemotePool([url], "Corridor-v0", {}, client=PATIENT) as pool:
            got = await play_all(await pool.open(4))
    assert got == await in_process(4)
    assert is_gone(pid) and not log.exists()
    with pytest.raises(ServerUnreachable):
        await server_info(url, client=replace(QUICK, deadline_s=0.2))
    server.stop()


async def test_a_server_killed_in_mid_episode_comes_back_and_the_episode_goes_on(
    tmp_path: Path,
) -> None:
    log = tmp_path / "server.log"
    with LocalServer(CORRIDOR, log=log) as server:
        first, url = server.pid, server.url

        async def kill(turn: int) -> None:
            if turn == 5 and server.pid == first:
                os.kill(first, signal.SIGKILL)

        async with RemotePool([url], "Corridor-v0", {}, client=PATIENT) as pool:
            seats = await pool.open(4)
            games = (play(seat, i, hook=kill) for i, seat in enumerate(seats))
            got = list(await asyncio.gather(*games))
            assert pool.rebuilt >= 1
        assert (server.url, server.restarts) == (url, 1)
        assert server.pid != first and is_gone(first)
    assert got == await in_process(4)
    assert "ended with -9; starting it again" in log.read_text()


async def test_a_server_that_never_comes_back_is_named_in_time() -> None:
    with LocalServer(CORRIDOR, patience=Patience(restarts=0)) as server:
        client = replace(QUICK, deadline_s=1.0)
        async with RemotePool([server.url], "Corridor-v0", {}, client=client) as pool:
            (seat,) = await pool.open(1)
            await seat.reset(Task(env="Corridor-v0", seed=1))
            os.kill(server.pid, signal.SIGKILL)
            began = time.monotonic()
            with pytest.raises(ServerUnreachable, match=server.url):
                await seat.step("east")
            assert time.monotonic() - began < 2.0


def test_what_the_child_could_not_do_is_raised_here() -> None:
    unknown = replace(CORRIDOR, envs=(HostedEnv(id="Coridor-v0"),))
    with pytest.raises(UnknownEnv, match="did you mean 'Corridor-v0'"), LocalServer(unknown):
        pass
    absent = replace(CORRIDOR, imports=("no_such_module",))
    with pytest.raises(BadOption, match="cannot import 'no_such_module'"), LocalServer(absent):
        pass


def test_the_last_words_of_a_child_that_crashed_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "crashing_env.py").write_text("raise RuntimeError('no lamp oil')")
    monkeypatch.syspath_prepend(tmp_path)
    crashing = replace(CORRIDOR, imports=("crashing_env",))
    said = r"(?s)ended with exit code 1 .*RuntimeError: no lamp oil"
    with pytest.raises(ServerStartError, match=said), LocalServer(crashing):
        pass


def test_a_child_that_cannot_be_started_is_an_error_not_a_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    began = time.monotonic()
    with pytest.raises(ServerStartError, match="cannot be started"), LocalServer(CORRIDOR):
        pass
    assert time.monotonic() - began < 5


def test_a_child_that_is_not_ready_in_time_is_ended() -> None:
    server = LocalServer(CORRIDOR, patience=Patience(start_s=0.05))
    with pytest.raises(ServerStartError, match=r"not ready after 0\.05 s"), server:
        pass
    with pytest.raises(ServerStartError, match="inside a with block"):
        _ = server.url


def test_what_environments_print_goes_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = 'import os, corridor_env\nprint("{}")\nos.write(1, b"raw noise\\n")\n'
    (tmp_path / "noisy_env.py").write_text(noisy)
    monkeypatch.syspath_prepend(tmp_path)
    log = tmp_path / "server.log"
    with LocalServer(replace(CORRIDOR, imports=("noisy_env",)), log=log) as server:
        assert httpx.get(server.url + "/healthz").status_code == 200
    assert "raw noise" in log.read_text()


@pytest.mark.skipif(os.name != "posix", reason="processes are ended by POSIX signals")
def test_a_child_does_not_outlive_its_parent() -> None:
    program = (
        "import time\n"
        "from gigym.servers import *\n"
        "with LocalServer(ServerSpec(envs=(HostedEnv(id='Corridor-v0'),), port=0,"
        " imports=('corridor_env',))) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    helpers = str(Path(__file__).parents[1] / "helpers")
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": helpers},
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    wait_until(lambda: is_gone(child) or is_orphaned_zombie(child))


def is_orphaned_zombie(pid: int) -> bool:
    """Dead, but its new parent (the container's first process) does not reap."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


async def test_alfworld_is_the_same_near_and_far() -> None:
    options = {"difficulty": "small"}
    spec = ServerSpec(envs=(HostedEnv(id="ALFWorld-v0"),), port=0)
    with LocalServer(spec) as server:
        async with (
            RemotePool([server.url], "ALFWorld-v0", options, client=PATIENT) as far,
            LocalPool("ALFWorld-v0", options) as near,
        ):
            got, expected = [
                await play_all(await pool.open(6), env="ALFWorld-v0", steps=25)
                for pool in (far, near)
            ]
    assert got == expected
    assert all(reply.state_key and reply.admissible_actions for game in got for reply in game)

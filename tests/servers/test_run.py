"""Serving in the foreground: the socket, the ready line, signals, and faults of the command."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from served import COMMAND, HELPERS

from gigym.servers import BindError, PortInUse
from gigym.servers.listening import listen


@contextmanager
def served(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server as a user starts it, and its ready line."""
    process = subprocess.Popen(
        [*COMMAND, *words, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": HELPERS},
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port} is in use .* --port 0") as caught:
            listen("127.0.0.1", port)
        assert caught.value.exit_code == 2


def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    with pytest.raises(BindError, match=r"cannot listen on 192\.0\.2\.1:0"):
        listen("192.0.2.1", 0)
    with pytest.raises(BindError, match=r"no\.such\.host\.invalid"):
        listen("no.such.host.invalid", 0)


def test_answers_are_not_held_back() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP, "asyncio disables Nagle only then"


def test_sigterm_lets_living_sessions_finish() -> None:
    with (
        served("Corridor-v0", "length=5", "--import", "corridor_env") as (process, ready),
        httpx.Client(base_url=ready["url"]) as http,
    ):
        assert ready["pid"] == process.pid
        body = {"env": "Corridor-v0"}
        sid = http.post("/v1/sessions", json=body).json()["sessions"][0]["sid"]
        reset = {"items": [{"sid": sid, "ep": 0, "seed": 1}]}
        assert http.post("/v1/reset", json=reset).json()["results"][0]["n"] == 0
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 10
        while http.get("/readyz").status_code != 503:
            assert time.monotonic() < end
        assert http.post("/v1/sessions", json=body).status_code == 503
        step = {"items": [{"sid": sid, "ep": 1, "n": 0, "action": "east"}]}
        assert http.post("/v1/step", json=step).json()["results"][0]["n"] == 1
        assert process.poll() is None
        http.post("/v1/close", json={"items": [{"sid": sid}]})
        assert process.wait(10) == 0


def test_a_second_signal_ends_a_server_at_once() -> None:
    with (
        served("Corridor-v0", "--import", "corridor_env") as (process, ready),
        httpx.Client(base_url=ready["url"]) as http,
    ):
        http.post("/v1/sessions", json={"env": "Corridor-v0"})
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr is not None and "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Nowhere-v0"], "no environment 'Nowhere-v0'"),
        (["ALFWorld-v0", "--host", "0.0.0.0"], "--token-file"),
    ],
)
def test_faults_of_the_command_end_it_with_code_2(words: list[str], said: str) -> None:
    done = subprocess.run([*COMMAND, *words], capture_output=True, timeout=60, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr

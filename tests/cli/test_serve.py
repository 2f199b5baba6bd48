"""`gigym serve`: says where it listens, answers there, ends on a signal, explains a taken port."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

COMMAND = [sys.executable, "-m", "gigym.cli", "serve"]


@contextmanager
def server(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A server process and its ready line."""
    process = subprocess.Popen(
        [*COMMAND, *words, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, json.loads(line)
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_the_ready_line_names_a_server_that_plays() -> None:
    with server("ALFWorld-v0", "difficulty=small") as (process, ready):
        assert ready["event"] == "ready" and ready["pid"] == process.pid
        with httpx.Client(base_url=ready["url"], timeout=30) as client:
            assert client.get("/v1/info").json()["envs"][0]["id"] == "ALFWorld-v0"
            leased = client.post("/v1/sessions", json={"env": "ALFWorld-v0", "count": 1}).json()
            sid = leased["sessions"][0]["sid"]
            reset = {"items": [{"sid": sid, "ep": 0, "seed": 7}]}
            result = client.post("/v1/reset", json=reset).json()["results"][0]
            assert "Your task is to" in result["reply"]["observation"]
            step = {"sid": sid, "ep": result["ep"], "n": 0, "action": "look"}
            result = client.post("/v1/step", json={"items": [step]}).json()["results"][0]
            assert result["n"] == 1 and result["reply"]["state_key"]


def test_sigint_ends_an_idle_server_with_code_0() -> None:
    with server("ALFWorld-v0") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


def test_a_token_file_is_made_private_and_then_required(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with server("ALFWorld-v0", "--token-file", str(path)) as (_, ready):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        body = {"env": "ALFWorld-v0", "count": 1}
        with httpx.Client(base_url=ready["url"], timeout=30) as client:
            assert client.post("/v1/sessions", json=body).status_code == 401
            held = {"Authorization": f"Bearer {path.read_text().strip()}"}
            assert client.post("/v1/sessions", json=body, headers=held).status_code == 201


def ended(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60)


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = ended("ALFWorld-v0", "--port", str(port))
    assert refused.returncode == 2
    assert f"127.0.0.1:{port} is in use" in refused.stderr and "--port 0" in refused.stderr
    assert refused.stdout == "" and "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("ALFWrld-v0",), "id you mean 'ALFWorld-v0'"),
        (("ALFWorld-v0", "gamse=x"), "id you mean 'games'"),
        (("ALFWorld-v0", "--host", "0.0.0.0"), "--insecure"),
    ],
)
def test_what_cannot_be_served_is_refused_before_listening(
    words: tuple[str, ...], expected: str
) -> None:
    refused = ended(*words, "--port", "0")
    assert refused.returncode == 2
    assert expected in refused.stderr and refused.stdout == ""


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_token_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    path.chmod(0o644)
    refused = ended("ALFWorld-v0", "--token-file", str(path))
    assert refused.returncode == 2 and "chmod 600" in refused.stderr

"""`gigym serve` as a user meets it: what it says, on what it listens, the line to paste."""

import json
import os
import pty
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from served import COMMAND, HELPERS, served

GAME = ("Corridor-v0", "length=4", "--import", "corridor_env")
ENV = {**os.environ, "PYTHONPATH": HELPERS}


def pasted(line: str) -> dict[str, list[dict[str, str]]]:
    """What a shell says to the line."""
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, env=ENV)


def test_the_ready_line_holds_a_line_that_works(tmp_path: Path) -> None:
    token = tmp_path / "my token's file"
    with served(*GAME, "Dice-v0", "--token-file", str(token)) as server:
        assert set(server.ready) == {"event", "url", "pid", "boot", "token_file", "curl"}
        assert server.ready["token_file"] == str(token)
        assert "\n" not in server.ready["curl"] and token.read_text().strip() not in str(
            server.ready
        )
        assert pasted(server.ready["curl"])["sessions"][0]["sid"].startswith("s-")
        offered = httpx.get(f"{server.url}/v1/info").json()["envs"]
        assert [env["id"] for env in offered] == ["Corridor-v0", "Dice-v0"]


def test_on_a_terminal_words_are_said_and_the_line_works() -> None:
    own, terminal = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *GAME, "--port", "0"], stdout=terminal, stderr=subprocess.PIPE, env=ENV
    ) as process:
        os.close(terminal)
        said = b""
        while b"curl" not in said or not said.endswith(b"\r\n\r\n"):
            said += os.read(own, 4096)
        os.close(own)
        text = said.decode().replace("\r\n", "\n")
        assert text.startswith("Serving at http://127.0.0.1:")
        (line,) = (line for line in text.splitlines() if "curl" in line)
        assert pasted(line)["sessions"]
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 0


def test_a_unix_socket_is_private_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "gym.sock"
    with served(*GAME, "--uds", str(path)) as server:
        assert server.url == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert pasted(server.ready["curl"])["sessions"]
        again = refused(*GAME, "--uds", str(path))
        assert again.returncode == 2 and "in use by another server" in again.stderr
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as http:
            assert http.get("http://evil.example/healthz").status_code == 400
            http.post("http://localhost/v1/sessions", json={"env": "Corridor-v0"})
        server.process.send_signal(signal.SIGINT)
        assert server.ended(signal.SIGINT) == 0
        assert not path.exists()


def test_the_socket_of_a_dead_server_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "gym.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with served(*GAME, "--uds", str(path)) as server:
        assert server.ended(signal.SIGINT) == 0
    path.write_text("mine")
    kept = refused(*GAME, "--uds", str(path))
    assert kept.returncode == 2 and "there is a file of that name" in kept.stderr
    assert path.read_text() == "mine"


def test_limits_of_the_command_hold() -> None:
    words = ("--max-sessions", "1", "--lease-s", "0.5", "--allow-host", "me.lan")
    with served(*GAME, *words) as server, httpx.Client(base_url=server.url) as http:
        body = {"env": "Corridor-v0", "wait_s": 0}
        assert http.post("/v1/sessions", json=body).status_code == 201
        assert http.post("/v1/sessions", json=body).status_code == 429
        assert http.get("/readyz").json()["status"] == "full"
        assert http.get("/healthz", headers={"Host": "me.lan"}).status_code == 200
        waiting = {"env": "Corridor-v0", "wait_s": 20}
        assert http.post("/v1/sessions", json=waiting, timeout=30).status_code == 201


def test_agentgym_is_served_by_the_flag() -> None:
    words = ("ALFWorld-v0", "--agentgym", "alfworld", "--port", "0")
    with served(*words) as server, httpx.Client(base_url=server.url) as http:
        number = http.post("/create").json()["id"]
        began = http.post("/reset", json={"id": number, "game": 0, "world_type": "Text"}).json()
        assert "look" in began["available_actions"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Corridor-v0", "--import", "corridor_env", "--agentgym", "webshop"), "needs WebShop-v0"),
        (("Corridor-v0", "--import", "no_such_module"), "cannot import 'no_such_module'"),
        (("ALFWorld-v0", "--uds", "/no/such/folder/s"), "cannot listen on /no/such/folder/s"),
        (("ALFWorld-v0", "--log-level", "loud"), "'loud'"),
        (("ALFWorld-v0", "--workers", "-1"), "'--workers'"),
    ],
)
def test_mistakes_end_with_code_2_and_no_traceback(words: tuple[str, ...], said: str) -> None:
    done = refused(*words, "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr


def test_json_mistakes_are_json() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = refused("ALFWorld-v0", "--port", str(port), "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "PORT_IN_USE"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_token_shows_neither_in_arguments_nor_in_the_environment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    with served(*GAME, "--token-file", str(token)) as server:
        secret = token.read_bytes().strip()
        proc = Path(f"/proc/{server.process.pid}")
        assert secret not in (proc / "cmdline").read_bytes()
        assert secret not in (proc / "environ").read_bytes()

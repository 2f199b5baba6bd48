"""The client against a small server that speaks the published wire format."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gigym.envs.sandbox import Limits, Outcome, RemoteSandbox, SandboxFailed, Traffic


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.delay = 0.0
        self.busy = self.most = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        with self.server.lock:
            self.server.busy += 1
            self.server.most = max(self.server.most, self.server.busy)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, dict(self.headers), body))
        time.sleep(self.server.delay)
        with self.server.lock:
            self.server.busy -= 1
            answers = self.server.answers
            status, text = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def answer(status: str = "Success", /, **run: object) -> tuple[int, bytes]:
    result = {
        "status": "Finished",
        "execution_time": 0.25,
        "return_code": 0,
        "stdout": "",
        "stderr": "",
    }
    body = {"status": status, "message": "", "compile_result": None, "run_result": result | run}
    return 200, json.dumps(body).encode()


def ask(server: Server, code: str = "print(1)", limits: Limits | None = None) -> Outcome:
    url = f"http://127.0.0.1:{server.server_port}/"
    with RemoteSandbox(url, token="t0k", level=3) as sandbox:
        return sandbox.run(code, limits or Limits())


def test_the_request_has_the_published_form(server: Server) -> None:
    server.answers = [answer(stdout="1\n")]
    outcome = ask(server, limits=Limits(seconds=2, memory_bytes=256 << 20))
    path, headers, body = server.seen[0]
    assert (path, headers["Authorization"]) == ("/run_code", "Bearer t0k")
    assert body == {
        "compile_timeout": 2,
        "run_timeout": 2,
        "code": "print(1)",
        "stdin": None,
        "memory_limit_MB": 256,
        "language": "python",
        "files": {},
        "fetch_files": [],
    }
    assert (outcome.output, outcome.status, outcome.seconds) == ("1\n", "ok", 0.25)


def test_an_exception_is_its_last_line_with_its_number(server: Server) -> None:
    trace = (
        'Traceback (most recent call last):\n  File "/tmp/x/tmp.py", line 3, in <module>\n'
        "    1/0\nZeroDivisionError: division by zero\n"
    )
    server.answers = [answer("Failed", return_code=1, stdout="a\n", stderr=trace)]
    outcome = ask(server)
    assert outcome.error == "ZeroDivisionError: division by zero (line 3)"
    assert (outcome.output, outcome.status) == ("a\n", "error")


def test_time_limits_are_told(server: Server) -> None:
    server.answers = [answer("Failed", status="TimeLimitExceeded", return_code=None, stdout="a")]
    outcome = ask(server)
    assert (outcome.timed_out, outcome.killed, outcome.output) == (True, "time", "a")


def test_output_is_cut(server: Server) -> None:
    server.answers = [answer(stdout="x" * 1000)]
    outcome = ask(server, limits=Limits(output_chars=10))
    assert (outcome.output, outcome.status) == ("x" * 10, "output_limit")


@pytest.mark.parametrize(
    "reply, words",
    [
        (answer("SandboxError"), "SandboxError"),
        ((200, b"<html>"), "no JSON"),
        ((200, b"[1]"), "no object"),
        ((200, b'{"status": "Success"}'), "failed"),
        ((401, b"who are you"), "answered 401: who are you"),
        ((500, b"oops"), "answered 500: oops"),
        ((200, b" " * (17 << 20)), "more than"),
    ],
)
def test_trouble_of_the_server_is_no_outcome(
    server: Server, reply: tuple[int, bytes], words: str
) -> None:
    server.answers = [reply]
    with pytest.raises(SandboxFailed, match=words):
        ask(server)
    assert len(server.seen) == 1


def test_a_gateway_that_timed_out_is_asked_again(server: Server) -> None:
    server.answers = [(504, b""), answer(stdout="late")]
    assert ask(server).output == "late"
    assert len(server.seen) == 2


def test_no_more_requests_than_allowed_are_under_way(server: Server) -> None:
    server.answers, server.delay = [answer()], 0.05
    url = f"http://127.0.0.1:{server.server_port}"
    with RemoteSandbox(url, traffic=Traffic(parallel=2)) as sandbox:
        threads = [threading.Thread(target=sandbox.run, args=("", Limits())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(server.seen), server.most) == (8, 2)


def test_a_server_that_is_not_there_is_named() -> None:
    with (
        RemoteSandbox("http://127.0.0.1:9", traffic=Traffic(attempts=1)) as sandbox,
        pytest.raises(SandboxFailed, match=r"no sandbox server answers at http://127\.0\.0\.1:9"),
    ):
        sandbox.run("", Limits())


def test_a_silent_server_is_given_up(server: Server) -> None:
    server.answers, server.delay = [answer()], 1.0
    with pytest.raises(SandboxFailed, match="Timeout"):
        url = f"http://127.0.0.1:{server.server_port}"
        RemoteSandbox(url, traffic=Traffic(margin_seconds=0.1)).run("", Limits(seconds=0.05))


def test_urls_and_levels_are_checked() -> None:
    with pytest.raises(ValueError, match="must begin with http"):
        RemoteSandbox("localhost:8080")
    with pytest.raises(ValueError, match="level of a sandbox must be 0 to 4"):
        RemoteSandbox("http://x", level=9)

"""The end of a server: not ready at once, steps still answered, then gone, with nothing left."""

import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from served import served

from gigym.envs.wire import DRAINING_HEADER

GAME = ("Corridor-v0", "--import", "corridor_env")
BODY = {"env": "Corridor-v0"}


def begun(http: httpx.Client) -> str:
    sid = http.post("/v1/sessions", json=BODY).json()["sessions"][0]["sid"]
    reset = {"items": [{"sid": sid, "ep": 0, "seed": 1}]}
    assert http.post("/v1/reset", json=reset).json()["results"][0]["n"] == 0
    return sid


def stepped(http: httpx.Client, sid: str, n: int) -> httpx.Response:
    step = {"sid": sid, "ep": 1, "n": n, "action": "east"}
    return http.post("/v1/step", json={"items": [step]})


def test_sigterm_refuses_the_new_and_serves_the_living_until_they_leave() -> None:
    with served(*GAME, "--grace-s", "60") as server, httpx.Client(base_url=server.url) as http:
        assert http.get("/readyz").status_code == 200
        sid = begun(http)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        ready = http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
        assert http.get("/healthz").status_code == 200
        refused = http.post("/v1/sessions", json=BODY)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "DRAINING")
        assert int(refused.headers["Retry-After"]) >= 1
        for n in range(3):
            answer = stepped(http, sid, n)
            assert answer.json()["results"][0]["n"] == n + 1
            assert 0 < float(answer.headers[DRAINING_HEADER]) <= 60
        frozen = http.post("/v1/snapshot", json={"items": [{"sid": sid}]}).json()["results"][0]
        assert frozen["snapshot"]["blob"]
        http.post("/v1/close", json={"items": [{"sid": sid}]})
        assert server.process.wait(20) == 0
        told = {line["event"]: line for line in server.log()}
        assert told["draining"]["sessions"] == 1 and told["stopped"]["sessions"] == 0


def test_who_waits_for_a_session_is_sent_away_at_once() -> None:
    words = ("--grace-s", "60", "--max-sessions", "1")
    with served(*GAME, *words) as server, httpx.Client(base_url=server.url) as http:
        sid = begun(http)
        answers: list[httpx.Response] = []
        waiting = {**BODY, "wait_s": 30}

        def wait() -> None:
            answers.append(httpx.post(f"{server.url}/v1/sessions", json=waiting, timeout=30))

        waiters = [threading.Thread(target=wait) for _ in range(3)]
        for waiter in waiters:
            waiter.start()
        while "gigym_queue_depth 3.0" not in http.get("/metrics").text:
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        for waiter in waiters:
            waiter.join(20)
        assert [answer.status_code for answer in answers] == [503] * 3
        assert stepped(http, sid, 0).json()["results"][0]["n"] == 1
        http.post("/v1/close", json={"items": [{"sid": sid}]})
        assert server.process.wait(20) == 0


def test_an_idle_server_ends_at_once() -> None:
    with served(*GAME, "--grace-s", "600") as server:
        assert server.ended(signal.SIGTERM) == 0


def test_the_grace_ends_also_for_sessions_that_stay() -> None:
    with served(*GAME, "--grace-s", "1") as server, httpx.Client(base_url=server.url) as http:
        begun(http)
        assert server.ended(signal.SIGTERM) == 0
        (stopped,) = (line for line in server.log() if line["event"] == "stopped")
        assert stopped["sessions"] == 1


def test_streams_of_events_do_not_hold_up_the_end() -> None:
    with served(*GAME, "--grace-s", "600") as server:
        with httpx.stream("GET", f"{server.url}/v1/events", timeout=30) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            server.process.send_signal(signal.SIGTERM)
            assert "event: server.draining" in list(lines)
        assert server.process.wait(20) == 0


def test_a_server_that_ends_under_load_leaves_no_request_without_an_answer() -> None:
    with served(*GAME, "--grace-s", "2") as server, httpx.Client(base_url=server.url) as http:
        sid = begun(http)
        failures: list[str] = []
        taken = [0]

        def play() -> None:
            with httpx.Client(base_url=server.url) as own:
                for ep in range(1, 100_000):
                    n = 0
                    while n < 30:
                        step = {"sid": sid, "ep": ep, "n": n, "action": "look"}
                        try:
                            answer = own.post("/v1/step", json={"items": [step]})
                        except httpx.TransportError:
                            return
                        if "reply" not in answer.json()["results"][0]:
                            failures.append(answer.text)
                            return
                        n, taken[0] = n + 1, taken[0] + 1
                    reset = {"items": [{"sid": sid, "ep": ep, "seed": ep}]}
                    try:
                        own.post("/v1/reset", json=reset)
                    except httpx.TransportError:
                        return

        player = threading.Thread(target=play)
        player.start()
        while taken[0] < 20:
            time.sleep(0.01)
        before = taken[0]
        assert server.ended(signal.SIGTERM) == 0
        player.join(20)
        assert not player.is_alive() and failures == [] and taken[0] > before


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(second: signal.Signals) -> None:
    with served(*GAME, "--grace-s", "600") as server, httpx.Client(base_url=server.url) as http:
        begun(http)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.process.poll() is None
        assert server.ended(second) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_process_is_left_behind() -> None:
    with served(*GAME, "--workers", "2") as server, httpx.Client(base_url=server.url) as http:
        begun(http)
        listed = ["ps", "-o", "pid=", "--ppid", str(server.process.pid)]
        children = subprocess.run(listed, capture_output=True, text=True).stdout.split()
        assert children, "it plays in workers"
        assert server.ended(signal.SIGINT) == 0
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and any(map(lives, children)):
            time.sleep(0.05)
        assert not any(map(lives, children))


def lives(pid: str) -> bool:
    return subprocess.run(["ps", "-p", pid], capture_output=True).returncode == 0

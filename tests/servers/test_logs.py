"""The log: lines of JSON, no secrets, no play, and nothing that happens to it stops the server."""

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served import COMMAND, HELPERS, served

from gigym.servers.logs import LOG, Logged, log_event, logging_to
from gigym.servers.watch import EpisodeEnd

CANARY = "canary-5f0c9e"
GAME = ("Corridor-v0", "--import", "corridor_env")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


def written(path: Path, level: str = "info") -> list[dict[str, object]]:
    """What our watcher logs of an eventful life."""
    with path.open("w") as file, logging_to(file.fileno(), level):
        watch = Logged()
        watch.created("s-1", "E")
        watch.ended("s-1", "E", "lost")
        watch.worker_lost(7, 3)
        for code in ("BUSY", "BUSY", "BAD_ITEM"):
            watch.refused(code)
        watch.cut("observation")
        watch.episode_ended(
            EpisodeEnd(sid="s-1", env="E", ep=1, n=2, total=0.0, terminated=True, truncated=False)
        )
        watch.flush()
        try:
            raise ValueError(CANARY)
        except ValueError:
            LOG.exception("it broke")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_are_json_and_bursts_are_summed_up(tmp_path: Path) -> None:
    lines = written(tmp_path / "log")
    told = [(line["level"], line["event"]) for line in lines]
    assert told == [
        ("warning", "session.lost"),
        ("error", "worker.lost"),
        ("info", "refused"),
        ("info", "cut"),
        ("error", "bug"),
    ]
    assert lines[1]["pid"] == 7 and lines[1]["sessions"] == 3
    assert lines[2]["counts"] == {"BUSY": 2, "BAD_ITEM": 1}
    assert all(isinstance(line["t"], float) for line in lines)


def test_of_a_bug_the_place_is_kept_and_its_text_only_for_debugging(tmp_path: Path) -> None:
    bug = written(tmp_path / "log")[-1]
    assert bug["error"] == "ValueError" and "test_logs.py" in str(bug["trace"])
    assert CANARY not in json.dumps(bug)
    assert written(tmp_path / "more", "debug")[-1]["text"] == CANARY


def test_a_level_keeps_lesser_events_out(tmp_path: Path) -> None:
    assert {line["level"] for line in written(tmp_path / "log", "error")} == {"error"}
    events = {line["event"] for line in written(tmp_path / "all", "debug")}
    assert {"session.created", "episode.end"} <= events


def test_what_others_log_comes_out_as_ours_and_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "log"
    uvicorn = logging.getLogger("uvicorn.error")
    before = uvicorn.level, uvicorn.propagate, list(uvicorn.handlers)
    with path.open("w") as file, logging_to(file.fileno(), "debug"):
        uvicorn.info("GET /?token=%s", CANARY)
        uvicorn.warning("Invalid HTTP request received.")
    (line,) = (json.loads(text) for text in path.read_text().splitlines())
    assert (line["event"], line["message"]) == ("log", "Invalid HTTP request received.")
    assert (uvicorn.level, uvicorn.propagate, list(uvicorn.handlers)) == before


def test_a_reader_that_stopped_reading_holds_up_nobody(pipe: tuple[int, int]) -> None:
    _, writing = pipe
    with logging_to(writing, "info"):
        for number in range(20_000):
            log_event(logging.INFO, "much", number=number, filling="x" * 100)


def test_dropped_lines_are_counted(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with logging_to(writing, "info"):
        for number in range(20_000):
            log_event(logging.INFO, "much", number=number, filling="x" * 100)
        said = os.read(reading, 1 << 20)
        deadline = time.monotonic() + 20
        while b'"dropped": ' not in said and time.monotonic() < deadline:
            log_event(logging.INFO, "more")
            said = said[-100:] + os.read(reading, 1 << 20)
        assert b'"dropped": ' in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_and_a_closed_pipe_do_not_stop_a_server() -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            [*COMMAND, *GAME, "--port", "0", "--log-level", "debug"],
            stdout=subprocess.PIPE,
            stderr=full,
            env={**os.environ, "PYTHONPATH": HELPERS},
            text=True,
        )
    assert process.stdout is not None
    with process.stdout as said, httpx.Client(base_url=json.loads(said.readline())["url"]) as http:
        for _ in range(3):
            assert http.post("/v1/sessions", json={"env": "Corridor-v0"}).status_code == 201
            assert http.get("/nowhere").status_code == 404
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_neither_tokens_nor_play_are_logged(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(CANARY + "-token\n")
    token.chmod(0o600)
    own = {"Authorization": f"Bearer {CANARY}-token"}
    with (
        served(*GAME, "Trapdoor-v0", "--token-file", str(token)) as server,
        httpx.Client(base_url=server.url, headers=own) as http,
    ):
        for env in ("Corridor-v0", "Trapdoor-v0"):
            made = http.post("/v1/sessions", json={"env": env, "options": {}}).json()
            sid = made["sessions"][0]["sid"]
            reset = {"items": [{"sid": sid, "ep": 0, "seed": 1, "options": {}}]}
            assert "reply" in http.post("/v1/reset", json=reset).json()["results"][0]
            for n, action in enumerate((f"{CANARY}-action", "raise", f"{CANARY}-{'x' * 70_000}")):
                step = {"sid": sid, "ep": 1, "n": n, "action": action}
                http.post("/v1/step", json={"items": [step]})
        http.get(f"/v1/info?token={CANARY}")
        http.get("/v1/sessions/x", headers={"Authorization": f"Bearer {CANARY}-wrong"})
        http.post("/v1/step", content=f'{{"x": "{CANARY}"', headers={"Content-Type": "x"})
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        http.get(f"/v1/ws?token={CANARY}", headers={**upgrade, "Sec-WebSocket-Version": "13"})
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 0
        assert server.process.stderr is not None
        log = server.process.stderr.read()
    assert CANARY not in log
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert events[:2] == ["start", "ready"] and events[-1] == "stopped"
    assert {"draining", "refused"} <= set(events)

"""A training run on two servers of which one is killed ends like the run that was left alone."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from raw_http import get
from small_run import cache_in, small_run

from gigym.servers import HostedEnv, LocalServer, Patience, ServerSpec
from gigym.trainer import RunDir
from gigym.trainer.arena import Arena
from gigym.trainer.metrics import read_metrics

CLOCKS = ("time", "credit/seconds")
ALFWORLD = ServerSpec(envs=(HostedEnv(id="ALFWorld-v0"),), port=0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path) -> Iterator[None]:
    with cache_in(tmp_path / "cache"):
        yield


def run(folder: Path, *more: str) -> RunDir:
    return small_run(folder, "iterations=3", *more)


def steps_taken(server: LocalServer) -> float:
    text = get(server.url, "/metrics").body.decode()
    told = re.findall(r"^gigym_steps_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, told))


def kill_in_mid_rollout(server: LocalServer) -> None:
    """Once it has taken some steps from here on."""
    end, steps = time.monotonic() + 30, steps_taken(server)
    while steps_taken(server) < steps + 6 and time.monotonic() < end:
        time.sleep(0.002)
    os.kill(server.pid, signal.SIGKILL)


def test_a_run_of_which_a_server_is_killed_ends_like_one_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = run(tmp_path / "alone")
    play, rounds, blows = Arena.play, count(1), list[threading.Thread]()

    def struck(self: Arena, *given: Any) -> Any:  # noqa: ANN401 - handed on
        if next(rounds) == 2:
            blows.append(threading.Thread(target=kill_in_mid_rollout, args=(mortal,)))
            blows[0].start()
        return play(self, *given)

    monkeypatch.setattr(Arena, "play", struck)
    with (
        LocalServer(ALFWORLD, patience=Patience(restarts=0)) as mortal,
        LocalServer(ALFWORLD) as other,
    ):
        urls = json.dumps([mortal.url, other.url])
        killed = run(tmp_path / "killed", f"env.urls={urls}")
        blows[0].join()
        assert steps_taken(other) > 0 and get_is_refused(mortal)
    assert results(killed) == results(alone)
    assert not any(line["rollout/failed"] for line in read_metrics(killed.metrics))


def get_is_refused(server: LocalServer) -> bool:
    with pytest.raises(ConnectionRefusedError):
        get(server.url, "/healthz")
    return True


def results(run: RunDir) -> dict[str, object]:
    """Metrics without times, weights and recorded episodes, as bytes."""
    lines = [
        {name: value for name, value in line.items() if name not in CLOCKS and name[:5] != "time/"}
        for line in read_metrics(run.metrics)
    ]
    weights = [
        (run.checkpoints / f"step-{step:06d}" / "model.safetensors").read_bytes() for step in (0, 3)
    ]
    assert weights[0] != weights[1], "nothing was learned: the comparison would say nothing"
    episodes = [run.episodes(step).read_bytes() for step in (1, 2, 3)]
    return {"metrics": lines, "weights": weights, "episodes": episodes}

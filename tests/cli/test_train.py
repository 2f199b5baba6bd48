"""Training from the command line, end to end and tiny: results, repetition, stops, repairs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Gigym = Callable[..., Any]
# A taste of a warm start, so that some replies are actions and there is something to learn from.
TINY = (
    "warmstart.stages=[{episodes=200,noise=0.3,lr=5e-3}]",
    "warmstart.batch_episodes=16",
    "model.hidden=32",
    "model.layers=1",
    "model.heads=2",
    "model.head_dim=16",
    "model.mlp=32",
    "rollout.tasks=2",
    "rollout.siblings=3",
    "rollout.pool=3",
    "env.max_steps=5",
    "eval.episodes=4",
    "engine.max_model_len=512",
)
FAST = (*TINY, "eval.episodes=0")
SCORES = ("train_before", "train_after", "heldout_before", "heldout_after")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by the tests here: one warm start for all."""
    return tmp_path_factory.mktemp("cache")


def weights(run: Path, step: int) -> bytes:
    """The weights after so many iterations."""
    files = sorted((run / "checkpoints" / f"step-{step:06d}").glob("*.safetensors"))
    assert files
    return b"".join(path.read_bytes() for path in files)


def test_a_run_leaves_all_that_was_promised(gigym: Gigym, tmp_path: Path) -> None:
    ended = gigym("train", "quickstart", *TINY, "iterations=2", "--json")
    assert ended.code == 0, ended.err
    run = tmp_path / ended.json["run"]
    assert run.parent == tmp_path / "runs" and run.name.startswith("quickstart-")
    summary = json.loads((run / "summary.json").read_text())
    assert all(summary[name].keys() >= {"mean", "low", "high", "episodes"} for name in SCORES)
    assert all(ended.json[name] == summary[name] for name in SCORES)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert {"success", "return", "time/rollout", "time/learn"} <= lines[0].keys()
    assert len((run / "episodes" / "step-000002.jsonl").read_text().splitlines()) == 6
    assert weights(run, 2)
    assert (run / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((run / "run.json").read_text())["status"] == "done"
    assert "iteration=2/2" in ended.err


def test_a_seed_repeats_a_run_bit_for_bit(gigym: Gigym, tmp_path: Path) -> None:
    def trained(name: str, *words: str) -> bytes:
        ended = gigym("train", "quickstart", *FAST, "iterations=2", f"run.dir={name}", *words)
        assert ended.code == 0, ended.err
        return weights(tmp_path / name, 2)

    first = trained("first", "seed=7")
    assert trained("again", "--seed", "7") == first
    assert trained("other", "seed=8") != first
    assert trained("grpo", "seed=7", "estimator=grpo") != first


def test_a_resumed_run_ends_where_the_uninterrupted_one_does(gigym: Gigym, tmp_path: Path) -> None:
    assert gigym("train", "quickstart", *FAST, "iterations=1", "run.dir=parts").code == 0
    resumed = gigym("train", "--resume", "parts", "iterations=3")
    assert resumed.code == 0, resumed.err
    assert gigym("train", "quickstart", *FAST, "iterations=3", "run.dir=whole").code == 0
    assert weights(tmp_path / "parts", 3) == weights(tmp_path / "whole", 3)
    lines = (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3]


def test_a_taken_run_directory_is_refused_with_the_way_to_continue(
    gigym: Gigym, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("")
    ended = gigym("train", "quickstart", *TINY, "run.dir=taken")
    assert ended.code == 2
    assert "gigym train --resume taken" in ended.err


@contextmanager
def training(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A training process in a folder, killed at the end if it still lives."""
    command = [sys.executable, "-m", "gigym.cli", "train", "quickstart", *FAST, *words]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Read stderr up to the line with this text."""
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"the process ended without saying {text!r}: {seen}")


def iterations_done(run: Path) -> int:
    return len((run / "metrics.jsonl").read_text().splitlines())


def test_ctrl_c_saves_says_how_to_go_on_and_nothing_is_lost(gigym: Gigym, tmp_path: Path) -> None:
    words = ("iterations=5000", "checkpoint.every=0", "run.dir=stopped")
    with training(tmp_path, *words) as process:
        wait_for(process, "iteration=2/")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "gigym train --resume stopped" in err and "Traceback" not in err
    assert out == ""
    run = tmp_path / "stopped"
    assert json.loads((run / "run.json").read_text())["status"] == "stopped"
    done = iterations_done(run)
    assert weights(run, done)
    resumed = gigym("train", "--resume", "stopped", f"iterations={done + 1}")
    assert resumed.code == 0, resumed.err
    whole = gigym("train", "quickstart", *FAST, f"iterations={done + 1}", "run.dir=whole")
    assert whole.code == 0, whole.err
    assert weights(run, done + 1) == weights(tmp_path / "whole", done + 1)


def test_sigterm_saves_and_ends_with_code_0(tmp_path: Path) -> None:
    with training(tmp_path, "iterations=5000", "run.dir=stopped") as process:
        wait_for(process, "iteration=1/")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "gigym train --resume stopped" in err
    assert weights(tmp_path / "stopped", iterations_done(tmp_path / "stopped"))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the child through /proc")
def test_a_server_killed_in_the_middle_is_replaced_and_changes_nothing(
    gigym: Gigym, tmp_path: Path
) -> None:
    with training(tmp_path, "iterations=6", "run.dir=wounded") as process:
        wait_for(process, "iteration=2/")
        (child,) = children(process.pid)
        os.kill(child, signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert not alive(child)
    assert gigym("train", "quickstart", *FAST, "iterations=6", "run.dir=whole").code == 0
    assert weights(tmp_path / "wounded", 6) == weights(tmp_path / "whole", 6)


def children(pid: int) -> set[int]:
    """Processes that any thread of this process started and that still live."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for path in lists for child in path.read_text().split()}


def alive(pid: int) -> bool:
    """Whether the process runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the child through /proc")
def test_a_killed_run_leaves_no_server_behind(tmp_path: Path) -> None:
    with training(tmp_path, "iterations=5000", "run.dir=stopped") as process:
        wait_for(process, "iteration=1/")
        left = children(process.pid)
        process.kill()
        process.communicate(timeout=30)
    assert left
    deadline = time.monotonic() + 10
    while any(alive(child) for child in left):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_eval_scores_a_run_per_type_with_intervals(gigym: Gigym) -> None:
    assert gigym("train", "quickstart", *TINY, "iterations=1", "run.dir=run").code == 0
    scored = gigym("eval", "run", "--split", "test", "-n", "5", "--json")
    assert scored.code == 0, scored.err
    by_type = scored.json["by_type"]
    assert by_type["all"]["episodes"] == 5
    assert sum(score["episodes"] for kind, score in by_type.items() if kind != "all") == 5
    shown = gigym("eval", "run", "-n", "2")
    assert "success, 95 % interval" in shown.out and "of 2" in shown.out
    refused = gigym("eval", "run", "-n", "5")
    assert refused.code == 2
    assert "holds out 4 tasks, 5 are asked for" in refused.err


def test_official_games_are_trained_on_and_scored(
    gigym: Gigym, test_data: Path, tmp_path: Path
) -> None:
    games = test_data / "alfworld"
    words = (f"env.games={games / 'train.jsonl.xz'}", "iterations=1", "run.dir=run")
    trained = gigym("train", "quickstart", *FAST, *words)
    assert trained.code == 0, trained.err
    scored = gigym("eval", "run", "--games", games / "valid_seen.jsonl.xz", "-n", "6", "--json")
    assert scored.code == 0, scored.err
    assert scored.json["by_type"]["all"]["episodes"] == 6

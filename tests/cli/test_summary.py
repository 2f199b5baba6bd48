"""The last words of a run: both scores at both ends, honest labels, the next command."""

from pathlib import Path

import pytest

from gigym.cli.summary import facts, page, program
from gigym.trainer import RunDir, load_config
from gigym.trainer.rundir import create_run


def scored(low: float, mean: float, high: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high, "episodes": 128}


SUMMARY = {
    "train_before": scored(0.3, 0.35, 0.4),
    "train_after": scored(0.8, 0.9, 0.95),
    "heldout_before": scored(0.25, 0.33, 0.42),
    "heldout_after": scored(0.28, 0.36, 0.45),
}


def finished(folder: Path, *overrides: str) -> RunDir:
    run = create_run(load_config("quickstart", [f"run.dir={folder / 'run'}", *overrides]))
    run.write_json("summary.json", SUMMARY)
    return run


def test_practice_and_unseen_tasks_are_told_apart(tmp_path: Path) -> None:
    text = page(finished(tmp_path, "rollout.pool=16"))
    practice = next(line for line in text.splitlines() if "trained on" in line)
    unseen = next(line for line in text.splitlines() if line.startswith("tasks never"))
    assert practice.startswith("the 16 tasks trained on")
    assert "35.0 % [30.0, 40.0] of 128" in practice and "90.0 % [80.0, 95.0]" in practice
    assert "33.0 % [25.0, 42.0] of 128" in unseen and "36.0 % [28.0, 45.0]" in unseen
    assert "memorises" in text


def test_the_next_command_compares_with_the_other_estimator(tmp_path: Path) -> None:
    run = finished(tmp_path, "seed=5")
    assert "gigym train quickstart estimator=grpo seed=5" in page(run)
    assert f"gigym train --resume {run.path} iterations=" in page(run)


def test_without_scores_the_places_are_still_told(tmp_path: Path) -> None:
    run = finished(tmp_path)
    run.write_json("summary.json", {})
    assert page(run).startswith(f"run    {run.path}")


def test_the_curve_is_named_once_it_is_there(tmp_path: Path) -> None:
    run = finished(tmp_path)
    assert facts(run) == {"run": str(run.path), "curve": None, **SUMMARY}
    (run.path / "curve.png").write_bytes(b"")
    assert facts(run)["curve"] == str(run.path / "curve.png")
    assert "curve.png" in page(run)


def test_a_run_without_held_out_tasks_says_so(tmp_path: Path) -> None:
    run = finished(tmp_path)
    nothing = {"mean": 0.0, "low": 0.0, "high": 1.0, "episodes": 0}
    run.write_json("summary.json", {**SUMMARY, "heldout_before": nothing, "heldout_after": nothing})
    assert "not scored" in page(run)


def test_a_command_off_the_path_is_named_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "gigym"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(mine)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert program() == str(mine)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "gigym"

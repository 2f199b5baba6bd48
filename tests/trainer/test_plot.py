"""The curve is drawn from the files of the run alone, whatever is missing of them."""

import json
from pathlib import Path

from gigym.trainer.plot import plot_curve, trailing_means
from gigym.trainer.rundir import RunDir

PNG = b"\x89PNG\r\n\x1a\n"
SCORE = {"mean": 0.4, "low": 0.3, "high": 0.5, "episodes": 128}
NOTHING = {"mean": 0.0, "low": 0.0, "high": 1.0, "episodes": 0}


def test_a_finished_run_has_its_curve(tmp_path: Path) -> None:
    run = RunDir(path=tmp_path)
    lines = [{"step": step, "success": step / 10} for step in range(1, 8)]
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run.write_json("baseline.json", {"train_before": SCORE, "heldout_before": SCORE})
    run.write_json("summary.json", {"train_after": SCORE, "heldout_after": NOTHING})
    path = plot_curve(run)
    assert path == tmp_path / "curve.png"
    full = path.read_bytes()
    assert full.startswith(PNG)
    (tmp_path / "summary.json").unlink()
    assert plot_curve(run).read_bytes() != full


def test_a_run_without_an_iteration_still_draws(tmp_path: Path) -> None:
    assert plot_curve(RunDir(path=tmp_path)).read_bytes().startswith(PNG)


def test_a_trailing_mean_looks_back_and_never_ahead() -> None:
    assert trailing_means([1.0, 3.0, 5.0, 7.0], 2) == [1.0, 2.0, 4.0, 6.0]
    assert trailing_means([], 5) == []

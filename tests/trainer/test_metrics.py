from pathlib import Path

from gigym.trainer.metrics import Stopwatch, append_metrics, read_metrics


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    append_metrics(path, 1, {"success": 0.5})
    append_metrics(path, 2, {"success": 0.75})
    whole = path.read_text()
    path.write_text(whole[:-7])
    assert [line["step"] for line in read_metrics(path)] == [1]


def test_values_that_are_not_finite_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    append_metrics(path, 1, {"loss": float("nan"), "success": 1.0, "kl": float("inf")})
    (line,) = read_metrics(path)
    assert line["nonfinite"] == 2
    assert "loss" not in line
    assert line["success"] == 1.0


def test_timers_and_the_rest_sum_to_the_whole() -> None:
    watch = Stopwatch()
    with watch.span("rollout"):
        sum(range(20_000))
    with watch.span("learn"):
        sum(range(10_000))
    spent = watch.metrics()
    parts = spent["time/rollout"] + spent["time/learn"] + spent["time/other"]
    assert abs(parts - spent["time/iteration"]) < 1e-9


def test_a_run_without_metrics_reads_as_empty(tmp_path: Path) -> None:
    assert read_metrics(tmp_path / "metrics.jsonl") == []

"""Benchmarks are found by name, run quickly when asked, and say what they ran on."""

import json
from pathlib import Path

import pytest

from gigym.bench import BENCHES, BadBenchOption, UnknownBench, bench_names, run_bench

ROOM = Path(__file__).parents[2] / "bench"


def test_every_module_that_can_be_run_has_a_name() -> None:
    runnable = {path.stem for path in ROOM.glob("*.py") if "\ndef run(" in path.read_text()}
    assert runnable == set(BENCHES.values())


@pytest.mark.parametrize("name", bench_names())
def test_a_quick_run_gives_rows_of_one_shape_as_json_data(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIGYM_OPENENV_PYTHON", "none")
    result = json.loads(json.dumps(run_bench(name, quick=True), allow_nan=False))
    assert result["name"] == name and result["quick"] is True
    assert result["rows"] and result["notes"]
    assert len({tuple(row) for row in result["rows"]}) == 1
    assert result["machine"]["cores"] >= 1


def test_an_unknown_benchmark_is_told_the_nearest_name() -> None:
    with pytest.raises(UnknownBench, match="did you mean 'import'"):
        run_bench("imports", quick=True)


def test_sessions_are_for_benchmarks_of_servers() -> None:
    with pytest.raises(BadBenchOption, match="credit has no sessions to set"):
        run_bench("credit", quick=True, sessions=[8])
    with pytest.raises(BadBenchOption, match="at least one session, got 0"):
        run_bench("servers", quick=True, sessions=[0])


def test_named_sessions_are_the_rows_and_a_peer_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIGYM_OPENENV_PYTHON", "/nowhere/python")
    result = run_bench("servers", quick=True, sessions=[2, 3])
    assert [(row["server"], row["sessions"]) for row in result["rows"]] == [
        ("gigym", 2),
        ("gigym", 3),
    ]
    assert "no rows of openenv: GIGYM_OPENENV_PYTHON names /nowhere/python" in result["notes"][-1]

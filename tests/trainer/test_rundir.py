import json
from pathlib import Path

import pytest

from gigym.trainer import ConfigError, RunExists, load_config, open_run
from gigym.trainer.metrics import append_metrics, read_metrics
from gigym.trainer.rundir import create_run, rewind


def test_a_run_keeps_its_configuration(tmp_path: Path) -> None:
    config = load_config("quickstart", [f"run.dir={tmp_path}/run", "seed=5"])
    create_run(config)
    run, again = open_run(str(tmp_path / "run"))
    assert again == config
    assert run.read_json("run.json")["seed"] == 5


def test_a_directory_that_holds_something_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunExists, match=r"choose another run\.dir"):
        create_run(load_config("quickstart", [f"run.dir={tmp_path}"]))


def test_two_runs_of_one_second_get_two_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_config("quickstart")
    assert len({create_run(config).path for _ in range(3)}) == 3


def test_what_is_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no config\.toml"):
        open_run(str(tmp_path))


def test_going_back_sets_later_work_aside_and_loses_nothing(tmp_path: Path) -> None:
    run = create_run(load_config("quickstart", [f"run.dir={tmp_path}/run"]))
    for step in (1, 2, 3):
        append_metrics(run.metrics, step, {"success": 0.1 * step})
        run.episodes(step).write_text(json.dumps({"step": step}))
        (run.checkpoints / f"step-{step:06d}").mkdir()
    rewind(run, 1)
    assert [line["step"] for line in read_metrics(run.metrics)] == [1]
    assert [p.name for p in sorted((run.path / "episodes").iterdir())] == ["step-000001.jsonl"]
    aside = run.path / "attempt-1"
    assert len(read_metrics(aside / "metrics.jsonl")) == 3
    assert (aside / "episodes" / "step-000003.jsonl").exists()
    assert (aside / "checkpoints" / "step-000002").exists()


def test_a_torn_line_is_set_aside_before_more_are_added(tmp_path: Path) -> None:
    run = create_run(load_config("quickstart", [f"run.dir={tmp_path}/run"]))
    append_metrics(run.metrics, 1, {"success": 0.5})
    with run.metrics.open("a") as file:
        file.write('{"step": 2, "succ')
    rewind(run, 1)
    append_metrics(run.metrics, 2, {"success": 0.6})
    assert [line["step"] for line in read_metrics(run.metrics)] == [1, 2]
    assert (run.path / "attempt-1" / "metrics.jsonl").read_text().endswith('"succ')


def test_going_back_to_the_end_changes_nothing(tmp_path: Path) -> None:
    run = create_run(load_config("quickstart", [f"run.dir={tmp_path}/run"]))
    append_metrics(run.metrics, 1, {"success": 0.5})
    rewind(run, 1)
    assert not list(run.path.glob("attempt-*"))

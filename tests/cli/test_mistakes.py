"""Each mistake has its exit code and one line that says what is wrong and what to do."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gigym = Callable[..., Any]

MISTAKES = {
    "command": (["trian", "quickstart"], "No such command 'trian'. Did you mean 'train'?"),
    "option": (["list", "--jsn"], "No such option: --jsn"),
    "choice": (["play", "ALFWorld-v0", "--agent", "exprt"], "'expert'"),
    "no recipe": (["train"], "gigym train quickstart"),
    "override first": (["train", "iterations=2"], "gigym train quickstart iterations=2"),
    "recipe": (["config", "show", "quickstrat"], "did you mean 'quickstart'?"),
    "key": (["config", "show", "quickstart", "iteratons=2"], "did you mean iterations?"),
    "nested key": (
        ["config", "show", "quickstart", "rollout.sibblings=2"],
        "did you mean rollout.siblings?",
    ),
    "key in a list": (
        ["config", "show", "quickstart", "warmstart.stages=[{episods=5,noise=0.1}]"],
        "did you mean warmstart.stages.0.episodes?",
    ),
    "env option": (["config", "show", "quickstart", "env.gamse=x"], "did you mean env.games?"),
    "type": (["config", "show", "quickstart", "iterations=many"], "iterations: "),
    "env id in recipe": (["config", "show", "quickstart", "env.id=ALFWord-v0"], "'ALFWorld-v0'"),
    "env id": (["play", "AFLWorld-v0"], "did you mean 'ALFWorld-v0'?"),
    "no equals sign": (["play", "ALFWorld-v0", "games"], "expected key=value, got 'games'"),
    "bench": (["bench", "imprt"], "did you mean 'import'?"),
    "no run": (["eval", "runs/none"], "runs/none is no run directory"),
    "no run to resume": (["train", "--resume", "runs/none"], "runs/none is no run directory"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_explained_in_plain_words_with_code_2(gigym: Gigym, name: str) -> None:
    words, expected = MISTAKES[name]
    ended = gigym(*words)
    assert ended.code == 2, ended.err
    assert ended.err.startswith("error: ") or "\nerror: " in ended.err
    assert expected in ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", ["key", "env id", "option"])
def test_with_json_the_error_is_one_object_on_stdout(gigym: Gigym, name: str) -> None:
    words, expected = MISTAKES[name]
    ended = gigym(*words, "--json")
    assert ended.code == 2
    assert expected in ended.json["error"]["message"]
    assert ended.json["error"]["code"].isupper()
    assert ended.err == ""


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(
    gigym: Gigym, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text("sed = 1\n[rollout]\ntaks = 4\n")
    ended = gigym("config", "show", "mine.toml")
    assert ended.code == 2
    assert "mine.toml:1: sed: unknown key; did you mean seed?" in ended.err
    assert "mine.toml:3: rollout.taks: unknown key; did you mean rollout.tasks?" in ended.err


def without(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process in which `module` is not installed."""
    script = (
        "import importlib.machinery as m, importlib.util, sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {module!r}: raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "real = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda n, p=None: None if n == {module!r} else real(n, p)\n"
        "from gigym.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("module", "words", "extra"),
    [
        ("torch", ("train", "quickstart"), "train"),
        ("transformers", ("eval", "runs/some"), "train"),
        ("uvicorn", ("serve", "ALFWorld-v0"), "serve"),
    ],
)
def test_a_missing_extra_ends_with_code_3_and_the_install_line(
    module: str, words: tuple[str, ...], extra: str
) -> None:
    ended = without(module, *words)
    assert ended.returncode == 3
    assert f"{module} is not installed" in ended.stderr
    assert f"pip install 'gigym[{extra}]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_config_and_list_need_no_torch() -> None:
    assert without("torch", "list", "--json").returncode == 0
    assert without("torch", "config", "show", "quickstart").returncode == 0


def test_a_bug_ends_with_code_70_and_a_file_that_holds_the_traceback(
    gigym: Gigym, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug\nof two lines")

    monkeypatch.setattr("gigym.cli.listing.list_envs", broken)
    ended = gigym("list")
    assert ended.code == 70
    (crash,) = (tmp_path / "cache" / "crash").iterdir()
    assert str(crash) in ended.err
    assert len(ended.err.splitlines()) == 1
    assert "ZeroDivisionError" in crash.read_text()
    assert "gigym list" in crash.read_text()


def test_debug_lets_the_exception_through(gigym: Gigym, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gigym.cli.listing.list_envs", broken)
    from gigym.cli import main

    with pytest.raises(ZeroDivisionError):
        main(["list", "--debug"])


def test_a_folder_that_cannot_be_written_is_named_without_a_traceback(
    gigym: Gigym, tmp_path: Path
) -> None:
    (tmp_path / "occupied").write_text("a file where a folder should be")
    ended = gigym("train", "quickstart", "run.dir=occupied/run")
    assert ended.code == 2
    assert "occupied" in ended.err


def test_a_closed_pipe_is_no_bug() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "gigym.cli", "list", "--json"]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writer)
    assert "a bug in gigym" not in ended.stderr
    assert ended.returncode != 70


def test_json_errors_are_parsed_by_the_reader_of_a_pipe() -> None:
    command = [sys.executable, "-m", "gigym.cli", "play", "Nope-v0", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert json.loads(ended.stdout)["error"]["code"] == "UNKNOWN_ENV"

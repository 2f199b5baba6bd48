"""`gigym list`, `config show`, `bench`, `--version` and the help: cheap, scriptable, complete."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gigym as package
from gigym.cli.app import FILES

Gigym = Callable[..., Any]
HEAVY = ("torch", "transformers", "vllm", "fastapi", "httpx", "numpy", "gymnasium", "rich")


def test_list_names_every_environment(gigym: Gigym) -> None:
    listed = gigym("list", "--json")
    assert listed.code == 0 and listed.err == ""
    assert "ALFWorld-v0" in [env["id"] for env in listed.json["envs"]]


def test_a_pattern_narrows_the_list(gigym: Gigym, corridor: str) -> None:
    assert corridor in gigym("list").out
    assert [env["id"] for env in gigym("list", "Test*", "--json").json["envs"]] == [corridor]


def test_config_show_prints_toml_that_repeats_itself(gigym: Gigym, tmp_path: Path) -> None:
    shown = gigym("config", "show", "quickstart", "iterations=3", "estimator=grpo")
    assert tomllib.loads(shown.out)["iterations"] == 3
    (tmp_path / "again.toml").write_text(shown.out)
    assert gigym("config", "show", "again.toml").out == shown.out


def test_config_show_as_json_holds_every_default(gigym: Gigym) -> None:
    shown = gigym("config", "show", "quickstart", "--json").json
    assert shown["rollout"]["siblings"] >= 2
    assert {"env", "model", "optim", "credit", "checkpoint"} <= shown.keys()


def test_the_version_is_that_of_the_package(gigym: Gigym) -> None:
    assert gigym("--version").out == f"gigym {package.__version__}\n"


@pytest.mark.parametrize("command", FILES)
def test_every_command_has_help_and_stands_in_the_overview(gigym: Gigym, command: str) -> None:
    assert f"\n  {command}" in gigym("--help").out
    shown = gigym(command, "--help")
    assert shown.code == 0 and f"gigym {command}" in shown.out


def test_no_words_at_all_print_the_help(gigym: Gigym) -> None:
    assert gigym().out == gigym("--help").out


@pytest.mark.parametrize("words", [("--help",), ("list", "--json"), ("--version",)])
def test_light_commands_load_no_heavy_package(words: tuple[str, ...]) -> None:
    script = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print([m for m in {HEAVY!r} if m in sys.modules], "
        "file=sys.stderr))\n"
        "from gigym.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", script, *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0
    assert ended.stderr.strip() == "[]"


def test_bench_prints_figures_with_what_they_were_taken_on(gigym: Gigym) -> None:
    result = gigym("bench", "import", "--quick", "--json").json
    assert result["name"] == "import" and result["quick"] is True
    assert {"date", "commit", "machine", "notes"} <= result.keys()
    assert {row["what"] for row in result["rows"]} >= {"import gigym", "gigym --help"}
    assert all(row["over_bare_ms"] < 5000 for row in result["rows"])

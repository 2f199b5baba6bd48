"""The example of a user's package: installed beside gigym, found, checked and played."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "examples" / "05_own_env"
SHORTEST = """
import gigym
from collections import deque

env = gigym.make("Jugs-v0", split="test", max_steps=100)
first = env.start(0)
seen, waiting = {first.state_key}, deque([env])
while waiting:
    here = waiting.popleft()
    for action, twin in zip(first.admissible_actions, here.fork(6)):
        reply = twin.answer(action)
        if reply.info["won"]:
            print(type(env).__module__, reply.info["task_id"], reply.reward)
            raise SystemExit
        if reply.state_key not in seen:
            seen.add(reply.state_key)
            waiting.append(twin)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the installed package; pip builds in a copy, never in the sources."""
    place = tmp_path_factory.mktemp("own_env")
    copied = shutil.copytree(SOURCE, place / "source")
    flags = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    target = ["--quiet", "--target", str(place / "site"), str(copied)]
    _run("-m", "pip", "install", *flags, *target)
    return place / "site"


def _run(*words: str, site: Path | None = None) -> str:
    path = {} if site is None else {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **path},
        cwd=site,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_environment_is_one_file_of_at_most_80_lines() -> None:
    (file,) = SOURCE.glob("*.py")
    assert len(file.read_text().splitlines()) <= 80


def test_it_is_listed_once_it_is_installed(installed: Path) -> None:
    listed = json.loads(_run("-m", "gigym.cli", "list", "--json", site=installed))
    (card,) = [card for card in listed["envs"] if card["id"] == "Jugs-v0"]
    assert (card["agents"], card["needs"]) == (1, [])


def test_it_passes_every_check(installed: Path) -> None:
    said = _run("-m", "gigym.cli", "check", "Jugs-v0", site=installed)
    assert "22 checks passed, 0 not made, 0 findings" in said


def test_it_can_be_won_on_a_path_found_through_forks_and_state_keys(installed: Path) -> None:
    assert _run("-c", SHORTEST, site=installed).split() == ["jugs", "5-6-1", "1.0"]


def test_gymnasium_makes_it_by_its_id(installed: Path) -> None:
    code = "import gymnasium; print(gymnasium.make('gigym.envs:Jugs-v0').reset(seed=0)[0])"
    assert "Measure out" in _run("-c", code, site=installed)


@pytest.mark.parametrize("first", ["gigym.envs.base", "gigym.envs.spaces", "gigym.envs.vector"])
def test_it_is_found_whichever_module_imports_gymnasium_first(installed: Path, first: str) -> None:
    code = f"import {first}, gymnasium; print('Jugs-v0' in gymnasium.registry)"
    assert _run("-W", "error", "-c", code, site=installed).strip() == "True"

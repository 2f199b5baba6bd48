"""The README's code runs as it stands, and its commands exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gigym.cli.app import FILES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.mark.parametrize("code", PYTHON, ids=[f"block {n}" for n in range(len(PYTHON))])
def test_a_python_block_runs(code: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_first_block_fits_in_ten_lines() -> None:
    assert len([line for line in PYTHON[0].splitlines() if line]) <= 10


def test_every_command_is_described_and_every_described_command_exists() -> None:
    assert set(re.findall(r"gigym ([a-z]+)", README)) == set(FILES)


def test_every_link_into_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert links and all((ROOT / link).exists() for link in links)

"""Every example runs from start to end without a warning and says what it promises."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROMISES = {
    "01_play.py": "expert: return 10",
    "02_serve_and_step.py": "through a crash as well: True",
    "03_gigpo_by_hand.py": "estimate [ 6.667  4.    -5.333 -4.    -5.333]",
}


def test_every_example_has_its_promise() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PROMISES)


@pytest.mark.parametrize("name", PROMISES)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert PROMISES[name] in done.stdout

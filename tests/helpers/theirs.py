"""Interpreters that have somebody else's package, and what is run with them.

Each lives in a virtual environment of its own, which a make target installs.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "interop" / "theirs"
_ANSWER_S = 600.0
"""Generous: importing some of their packages takes ten seconds of a busy core."""


class Theirs:
    """One interpreter. Its processes see none of our packages."""

    def __init__(self, python: Path) -> None:
        self.python = python

    def ask(self, script: str, question: object) -> Any:  # noqa: ANN401
        """The JSON that a script of ours, run by them, prints last, to the JSON on its stdin."""
        done = self.run(str(SCRIPTS / script), said=json.dumps(question))
        assert done.returncode == 0, f"{script} failed:\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    def run(self, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """A command of theirs, to its end."""
        return subprocess.run(
            [str(self.python), "-P", *words],
            input=said,
            capture_output=True,
            text=True,
            timeout=_ANSWER_S,
            env=_clean(),
        )

    @contextmanager
    def serving(self, script: str, *words: str) -> Iterator[list[str]]:
        """The URLs that a script prints in its first line; it serves until the block ends."""
        command = [str(self.python), "-P", str(SCRIPTS / script), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_clean())
        assert process.stdout is not None
        try:
            urls = process.stdout.readline().split()
            assert urls, f"{script} did not start"
            yield urls
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def installed(variable: str, folder: str, target: str) -> Theirs:
    """The interpreter that a variable names, else that of a folder of this checkout.

    Where nothing is installed the test is skipped. A variable, as the make targets set it, promises
    that there is something.
    """
    named = os.environ.get(variable)
    python = Path(named) if named else ROOT / folder / "bin" / "python"
    if not named and not python.exists():
        pytest.skip(f"no {folder} here; make {target} installs it and runs this")
    assert python.exists(), f"{variable} names {python}, where there is nothing"
    return Theirs(python)


def _clean() -> dict[str, str]:
    """The environment without what leads an interpreter to other packages, and without hubs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}

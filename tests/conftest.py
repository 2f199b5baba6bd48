"""Shared fixtures: where the real test data lies. Ctrl-C works however the tests were started."""

import os
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# a shell that starts the tests in the background lets them, and what they start, ignore SIGINT
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def test_data() -> Path:
    path = Path(os.environ.get("GIGYM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no test data at {path}; set GIGYM_TEST_DATA to the folder that holds it")
    return path

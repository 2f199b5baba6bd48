"""Shared fixtures: where the real test data lies."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def test_data() -> Path:
    path = Path(os.environ.get("GIGYM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no test data at {path}; set GIGYM_TEST_DATA to the folder that holds it")
    return path

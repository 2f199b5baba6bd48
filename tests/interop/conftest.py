"""The published software of others, as fixtures; see `theirs.py` of the helpers."""

import pytest
from theirs import Theirs, installed


@pytest.fixture(scope="session")
def openenv() -> Theirs:
    """OpenEnv's own packages."""
    return installed("GIGYM_OPENENV_PYTHON", ".venv-openenv", "test-openenv")

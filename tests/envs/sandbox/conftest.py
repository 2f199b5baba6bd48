import os

import pytest
from sandbox_scene import TOKEN

from gigym.envs.sandbox import LocalSandbox, SandboxTooWeak, local_sandbox


@pytest.fixture(scope="session")
def sandbox() -> LocalSandbox:
    os.environ["GIGYM_ATTACK_TOKEN"] = TOKEN
    try:
        return local_sandbox(3)
    except SandboxTooWeak as error:
        if int(os.environ.get("GIGYM_SANDBOX_LEVEL", "0")) >= 3:
            raise
        pytest.skip(str(error))

"""The engine under contract: one of each kind for all tests, with its first weights for each."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from engine_seats import Seat, seat

KINDS = [
    "hf",
    "openai",
    "openai-completions",
    pytest.param("openai-vllm", marks=pytest.mark.vllm),
]


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=KINDS)
async def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seat]:
    async with seat(request.param, tmp_path_factory.mktemp("model")) as taken:
        yield taken


@pytest_asyncio.fixture(loop_scope="session")
async def engine(started: Seat) -> Seat:
    await started.begin()
    return started

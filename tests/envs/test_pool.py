"""Local seats: opened as needed, faults of an environment's code are named."""

import corridor_env
import pytest

from gigym.envs import EnvCodeError, EpisodeError, Task
from gigym.envs.pool import LocalPool


async def test_a_pool_opens_what_is_missing_and_reuses_the_rest() -> None:
    async with LocalPool("Corridor-v0", {"length": 3}) as pool:
        first = await pool.open(2)
        assert (await pool.open(3))[:2] == first and await pool.open(1) == first[:1]


async def test_seats_answer_like_the_environment_itself() -> None:
    env = corridor_env.Corridor(length=4)
    async with LocalPool("Corridor-v0", {"length": 4}) as pool:
        (seat,) = await pool.open(1)
        assert await seat.reset(Task(env="Corridor-v0", seed=5)) == env.start(5)
        assert await seat.step("east") == env.answer("east")


async def test_seats_are_independent() -> None:
    async with LocalPool("Corridor-v0", {}) as pool:
        one, two = await pool.open(2)
        task = Task(env="Corridor-v0", seed=5)
        await one.reset(task)
        await two.reset(task)
        await one.step("east")
        assert (await two.step("west")).observation.startswith("You stand at 0.")


async def test_a_fault_of_the_environment_is_named() -> None:
    async with LocalPool("Trapdoor-v0", {}) as pool:
        (seat,) = await pool.open(1)
        with pytest.raises(EnvCodeError, match="Trapdoor-v0 raised RuntimeError: unlucky"):
            await seat.reset(Task(env="Trapdoor-v0", seed=13))
        await seat.reset(Task(env="Trapdoor-v0", seed=1))
        with pytest.raises(EnvCodeError, match="raised ZeroDivisionError: the floor gives way"):
            await seat.step("crash")


async def test_an_error_raised_on_purpose_passes_as_it_is() -> None:
    async with LocalPool("Corridor-v0", {}) as pool:
        (seat,) = await pool.open(1)
        with pytest.raises(EpisodeError, match="reset first"):
            await seat.step("east")

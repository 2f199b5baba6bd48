"""Calls that travel together: nobody is left behind, whatever the timing."""

import asyncio

from gigym.envs.remote import ClientSpec
from gigym.envs.remote.batcher import Batcher


async def echo(items: list[int], give_up_at: float) -> list[int]:
    return items


async def test_who_asks_as_the_last_flight_lands_is_answered() -> None:
    batcher = Batcher(echo, ClientSpec(flights=1))
    async with asyncio.timeout(5):
        assert [await batcher.ask(item, 1e9) for item in range(5)] == [0, 1, 2, 3, 4]


async def test_calls_beyond_the_flights_leave_with_the_next_one() -> None:
    sizes: list[int] = []

    async def send(items: list[int], give_up_at: float) -> list[int]:
        sizes.append(len(items))
        await asyncio.sleep(0)
        return items

    batcher = Batcher(send, ClientSpec(flights=1, batch=4))
    async with asyncio.timeout(5):
        assert await asyncio.gather(*(batcher.ask(i, 1e9) for i in range(10))) == [*range(10)]
    assert sizes == [4, 4, 2]


async def test_calls_given_up_do_not_travel() -> None:
    sent: list[int] = []

    async def send(items: list[int], give_up_at: float) -> list[int]:
        sent.extend(items)
        return items

    batcher = Batcher(send, ClientSpec())
    given_up = asyncio.ensure_future(batcher.ask(1, 1e9))
    await asyncio.sleep(0)
    given_up.cancel()
    async with asyncio.timeout(5):
        assert await batcher.ask(2, 1e9) == 2
    assert sent == [2]


async def test_results_that_nobody_awaits_any_more_are_handed_over() -> None:
    gate, left = asyncio.Event(), list[int]()

    async def send(items: list[int], give_up_at: float) -> list[int]:
        await gate.wait()
        return items

    batcher = Batcher(send, ClientSpec(), unclaimed=left.append)
    calls = [asyncio.ensure_future(batcher.ask(item, 1e9)) for item in (1, 2)]
    await asyncio.sleep(0.05)
    calls[0].cancel()
    gate.set()
    async with asyncio.timeout(5):
        assert await calls[1] == 2
    assert left == [1]

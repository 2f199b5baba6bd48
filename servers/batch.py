"""The items of one request, one after the other: a bad one never fails its neighbours."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from ..envs.wire import BadItem, Code, SidItem
from .errors import WireFault
from .replies import failed

ItemT = TypeVar("ItemT", bound=SidItem)
Result: TypeAlias = bytes | Awaitable[bytes]
"""JSON of an item's result: there at once, or on its way from a worker process."""
_SLICE_S = 0.005
"""Longest stretch of work before other requests get a turn."""


class Pause:
    """Gives other requests a turn when work has gone on for long enough."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    async def if_due(self) -> None:
        """To be awaited after each piece of work."""
        if time.monotonic() - self._began > _SLICE_S:
            await asyncio.sleep(0)
            self._began = time.monotonic()


async def settled(result: Result) -> bytes:
    """The result, once it is there."""
    return result if isinstance(result, bytes) else await result


async def run_items(
    items: Sequence[ItemT | BadItem], act: Callable[[ItemT], bytes]
) -> AsyncIterator[bytes]:
    """Results in the order of the items, as JSON. A second item for one session is refused."""
    seen: set[str] = set()
    pause = Pause()
    for item in items:
        yield _result(item, act, seen)
        await pause.if_due()


def _result(item: ItemT | BadItem, act: Callable[[ItemT], bytes], seen: set[str]) -> bytes:
    if isinstance(item, BadItem):
        return failed(item.sid, WireFault(Code.BAD_ITEM, item.message))
    if item.sid in seen:
        message = "an earlier item of this request names the same session"
        return failed(item.sid, WireFault(Code.BAD_ITEM, message))
    seen.add(item.sid)
    try:
        return act(item)
    except WireFault as fault:
        return failed(item.sid, fault)


async def as_document(results: AsyncIterator[bytes]) -> bytes:
    """The answer as one JSON object."""
    return b'{"results":[%s]}' % b",".join([result async for result in results])


async def as_lines(results: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The answer as one JSON object a line, each with its position `i`."""
    position = 0
    async for result in results:
        yield b'{"i":%d,%s\n' % (position, result[1:])
        position += 1

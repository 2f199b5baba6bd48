"""The items of one request: a bad one never fails its neighbours, a slow one never holds them up.

Items of sessions in this process are done at once, one after the other; those of sessions in worker
processes are sent on and answered while the others are.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from ..envs.wire import BadItem, Code, SidItem
from .errors import WireFault
from .replies import failed
from .watch import Watch

ItemT = TypeVar("ItemT", bound=SidItem)
Result: TypeAlias = bytes | Awaitable[bytes]
"""JSON of an item's result: there at once, or on its way from a worker process. Either raises
`WireFault` for an item that is refused."""
Act: TypeAlias = Callable[[ItemT], Result]
_SLICE_S = 0.005
"""Longest stretch of work before other requests get a turn."""
_DEAF = Watch()


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
    """The result, once it is there. Raises `WireFault` where the item is refused."""
    return result if isinstance(result, bytes) else await result


async def run_items(
    items: Sequence[ItemT | BadItem], act: Act[ItemT], watch: Watch = _DEAF
) -> AsyncGenerator[tuple[int, bytes], None]:
    """Positions of the items and their results as JSON, each as soon as it is there.

    A second item for one session is refused.
    """
    run = _Run(act, watch)
    for position, item in enumerate(items):
        result = run.begin(position, item)
        if result is not None:
            yield position, result
        await run.pause.if_due()
        while run.arrived():
            yield await run.next()
    while run.waiting:
        yield await run.next()


def do_few(items: Sequence[ItemT | BadItem], act: Act[ItemT], watch: Watch = _DEAF) -> Result:
    """As `as_document(run_items(...))`, for items too few to give others a turn between them."""
    run = _Run(act, watch)
    begun = [(position, run.begin(position, item)) for position, item in enumerate(items)]
    placed = [(position, result) for position, result in begun if result is not None]
    return run.rest(placed) if run.waiting else _document(placed)


class _Run:
    """The items of one request under way."""

    def __init__(self, act: Callable[[Any], Result], watch: Watch) -> None:
        self.pause = Pause()
        self.waiting: dict[asyncio.Future[bytes], tuple[int, str]] = {}
        """Positions and sessions of the items whose results are on their way."""
        self._act = act
        self._watch = watch
        self._seen: set[str] = set()
        self._done: asyncio.Queue[asyncio.Future[bytes]] = asyncio.Queue()

    def begin(self, position: int, item: SidItem | BadItem) -> bytes | None:
        """Do an item; its result, if it is there already."""
        if isinstance(item, BadItem):
            return self._failed(item.sid, WireFault(Code.BAD_ITEM, item.message))
        if item.sid in self._seen:
            message = "an earlier item of this request names the same session"
            return self._failed(item.sid, WireFault(Code.BAD_ITEM, message))
        self._seen.add(item.sid)
        try:
            result = self._act(item)
        except WireFault as fault:
            return self._failed(item.sid, fault)
        if isinstance(result, bytes):
            return result
        future = asyncio.ensure_future(result)
        self.waiting[future] = position, item.sid
        future.add_done_callback(self._arrive)
        return None

    def arrived(self) -> bool:
        """Whether `next` has something at once."""
        return not self._done.empty()

    async def next(self) -> tuple[int, bytes]:
        """The next result that arrives from elsewhere."""
        future = await self._done.get()
        position, sid = self.waiting.pop(future)
        try:
            return position, future.result()
        except WireFault as fault:
            return position, self._failed(sid, fault)

    async def rest(self, placed: list[tuple[int, bytes]]) -> bytes:
        """The document of the results that were there at once and of those that arrive."""
        while self.waiting:
            placed.append(await self.next())
        return _document(placed)

    def _arrive(self, future: asyncio.Future[bytes]) -> None:
        if not future.cancelled():
            # Looked at, so that asyncio does not complain when the client has gone meanwhile.
            future.exception()
        self._done.put_nowait(future)

    def _failed(self, sid: str | None, fault: WireFault) -> bytes:
        self._watch.refused(fault.code)
        return failed(sid, fault)


async def as_document(results: AsyncIterator[tuple[int, bytes]]) -> bytes:
    """The answer as one JSON object, the results in the order of the items."""
    return _document([result async for result in results])


async def as_lines(results: AsyncIterator[tuple[int, bytes]]) -> AsyncIterator[bytes]:
    """The answer as one JSON object a line, each with the position `i` of its item."""
    async for position, result in results:
        yield b'{"i":%d,%s\n' % (position, result[1:])


def _document(placed: list[tuple[int, bytes]]) -> bytes:
    placed.sort(key=_position)
    return b'{"results":[%s]}' % b",".join([result for _, result in placed])


def _position(placed: tuple[int, bytes]) -> int:
    return placed[0]

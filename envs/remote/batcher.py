"""Single calls of many coroutines, gathered into few requests.

Calls made in the same turn of the event loop leave together; while the permitted number of
requests is under way, further calls wait and leave together with the next one. So a lone call is
not held up, and a thousand calls do not become a thousand requests. Where it is known how many may
call at all, nobody waits for others once all of them did.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from ... import GigymError
from .spec import ClientSpec

_QUIET_TURNS = 2
ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Generic[ItemT, ResultT]):
    """A call that was not answered yet."""

    item: ItemT
    give_up_at: float
    future: asyncio.Future[ResultT]


class Batcher(Generic[ItemT, ResultT]):
    """`send` takes items and a time to give up, and returns a result for each.

    `unclaimed` is given the results of calls that were cancelled under way; `callers` says how many
    may call at once, where that is known.
    """

    def __init__(
        self,
        send: Callable[[list[ItemT], float], Awaitable[list[ResultT]]],
        spec: ClientSpec,
        unclaimed: Callable[[ResultT], None] = lambda _: None,
        callers: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._send = send
        self._spec = spec
        self._unclaimed = unclaimed
        self._callers = callers
        self._aloft = 0
        """Calls under way."""
        self._waiting: deque[Waiting[ItemT, ResultT]] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._collecting = False

    async def ask(self, item: ItemT, give_up_at: float) -> ResultT:
        """Result of one call; raises what `send` raises for its batch."""
        if self._callers() == 1:
            (result,) = await self._send([item], give_up_at)
            return result
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()
        call = Waiting(item=item, give_up_at=give_up_at, future=future)
        self._waiting.append(call)
        if not self._collecting and len(self._flights) < self._spec.flights:
            self._collecting = True
            self._flights.add(asyncio.create_task(self._fly()))
        return await call.future

    async def aclose(self) -> None:
        """Cancel the requests under way and the calls that wait for them."""
        for flight in tuple(self._flights):
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        for call in self._waiting:
            call.future.cancel()
        self._waiting.clear()

    async def _fly(self) -> None:
        """Send batches until nobody waits."""
        try:
            await self._collect()
            self._collecting = False
            while batch := self._take():
                await self._deliver(batch)
        finally:
            # In the same breath as nobody was found waiting: who asks next needs a new flight.
            self._flights.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _collect(self) -> None:
        """Wait until two turns of the loop brought no further call, or the tick is over."""
        loop = asyncio.get_running_loop()
        end, seen, quiet = loop.time() + self._spec.tick_s, 0, 0
        while quiet < _QUIET_TURNS and not self._complete() and loop.time() < end:
            quiet = quiet + 1 if len(self._waiting) == seen else 0
            seen = len(self._waiting)
            await asyncio.sleep(0)

    def _complete(self) -> bool:
        """Whether no further call can join."""
        waiting, callers = len(self._waiting), self._callers()
        return waiting >= self._spec.batch or (
            callers is not None and waiting + self._aloft >= callers
        )

    def _take(self) -> list[Waiting[ItemT, ResultT]]:
        batch: list[Waiting[ItemT, ResultT]] = []
        while self._waiting and len(batch) < self._spec.batch:
            call = self._waiting.popleft()
            if not call.future.done():
                batch.append(call)
        return batch

    async def _deliver(self, batch: list[Waiting[ItemT, ResultT]]) -> None:
        give_up_at = min(call.give_up_at for call in batch)
        self._aloft += len(batch)
        try:
            results = await self._send([call.item for call in batch], give_up_at)
        except Exception as error:
            for call in batch:
                if not call.future.done():
                    call.future.set_exception(_own(error))
            return
        except BaseException:
            for call in batch:
                call.future.cancel()
            raise
        finally:
            self._aloft -= len(batch)
        for call, result in zip(batch, results, strict=True):
            if call.future.done():
                self._unclaimed(result)
            else:
                call.future.set_result(result)


def _own(error: Exception) -> Exception:
    """The error for one of several callers: a shared one would gather all their tracebacks."""
    return copy.copy(error) if isinstance(error, GigymError) else error

"""A way to servers without sockets on which everything goes wrong that can, at a given rate."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator

import httpx
from far_seats import Network

FAULTS = (
    "lost request",
    "refused",
    "reset before",
    "late",
    "doubled",
    "lost answer",
    "reset after",
    "cut answer",
    "cut unnoticed",
)


class ChaosWire(httpx.AsyncBaseTransport):
    """Each fault strikes each request with the probability `rate`, several may strike one."""

    def __init__(self, network: Network, url: str, *, rate: float = 0.05, seed: int = 0) -> None:
        self.struck: Counter[str] = Counter()
        self.requests = 0
        self._network, self._url, self._rate = network, url, rate
        self._random = random.Random(seed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self._strikes("lost request"):
            raise httpx.ConnectError("lost on the way there")
        if self._strikes("refused"):
            return httpx.Response(503, headers={"Retry-After": "0"})
        if self._strikes("reset before"):
            raise httpx.WriteError("connection reset by peer")
        if self._strikes("late"):
            await asyncio.sleep(self._random.uniform(0, 0.02))
        if self._strikes("doubled"):
            # The twin may arrive before, beside or after the one that is answered.
            self._later(request)
        answer = await self._network.carry(self._url, request)
        return self._back(answer)

    def _back(self, answer: httpx.Response) -> httpx.Response:
        if self._strikes("lost answer"):
            raise httpx.ReadTimeout("lost on the way back")
        if self._strikes("reset after"):
            raise httpx.ReadError("connection reset by peer")
        if self._strikes("cut answer"):
            return httpx.Response(answer.status_code, headers=answer.headers, stream=Cut(answer))
        if self._strikes("cut unnoticed"):
            # A proxy that ends the answer early as if it were whole, its length not told.
            half = answer.content[: self._random.randrange(len(answer.content))]
            headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
            return httpx.Response(answer.status_code, headers=headers, content=half)
        return answer

    def _later(self, request: httpx.Request) -> None:
        async def deliver() -> None:
            await asyncio.sleep(self._random.uniform(0, 0.01))
            await self._network.carry(self._url, request)

        twin = asyncio.create_task(deliver())
        _TWINS.add(twin)
        twin.add_done_callback(_TWINS.discard)

    def _strikes(self, fault: str) -> bool:
        strikes = self._random.random() < self._rate
        self.struck[fault] += strikes
        return strikes


_TWINS: set[asyncio.Task[None]] = set()


async def twins_arrived() -> None:
    """Wait for the doubled requests that are still under way."""
    while _TWINS:
        await asyncio.gather(*_TWINS)


class Cut(httpx.AsyncByteStream):
    """The first half of an answer, then the connection's end."""

    def __init__(self, answer: httpx.Response) -> None:
        self._half = answer.content[: len(answer.content) // 2]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._half
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message")


__all__ = ["FAULTS", "ChaosWire", "twins_arrived"]

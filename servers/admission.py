"""Waiting for free sessions in order, and answering a repeated request once.

`Admission` lets requests for sessions in first come, first served, and refuses nobody at once.
`Once` remembers answers by idempotency key, those still being made included.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel

from ..envs.wire import Code
from .errors import WireFault
from .store import Store

_MAX_KEYS = 16_384
_RETRY_AFTER_MS = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """A request in the queue."""

    count: int
    turn: asyncio.Future[None]


class Places:
    """Places that are reserved for one request; each session added takes one."""

    def __init__(self, store: Store, count: int) -> None:
        self._store = store
        self._left = count

    def take(self) -> None:
        """Use one, in the same breath as the session is added."""
        self._left -= 1
        self._store.reserved -= 1

    def give_back(self) -> None:
        """Return those not used."""
        self._store.reserved -= self._left
        self._left = 0


class Admission:
    """The queue before a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: deque[Waiter] = deque()
        store.on_free = self._wake

    def __len__(self) -> int:
        return len(self._queue)

    @asynccontextmanager
    async def places(self, count: int, wait_s: float) -> AsyncGenerator[Places, None]:
        """Hold `count` places.

        Raises `WireFault`: `BUSY` after `wait_s` in the queue, `BAD_REQUEST` for more sessions
        than the server has.
        """
        total = self._store.limits.sessions
        if count > total:
            message = (
                f"{count} sessions asked for, the server has {total}; "
                f"start it with --max-sessions {count}, or ask for fewer"
            )
            raise WireFault(Code.BAD_REQUEST, message, {"sessions": total})
        self._store.sweep()
        if self._queue or self._store.free < count:
            await self._wait(count, wait_s)
        else:
            self._store.reserved += count
        places = Places(self._store, count)
        try:
            yield places
        finally:
            places.give_back()
            self._wake()

    def turn_away(self) -> None:
        """Answer all who wait that the server is about to stop."""
        for waiter in self._queue:
            if not waiter.turn.done():
                waiter.turn.set_exception(stopping())
                # Looked at here, since one that gives up at this moment will not.
                waiter.turn.exception()

    async def _wait(self, count: int, wait_s: float) -> None:
        if len(self._queue) >= self._store.limits.queued:
            raise self._busy()
        waiter = Waiter(count=count, turn=asyncio.get_running_loop().create_future())
        self._queue.append(waiter)
        try:
            async with asyncio.timeout(wait_s):
                await waiter.turn
        except BaseException as error:
            self._leave(waiter)
            if isinstance(error, TimeoutError):
                raise self._busy() from None
            raise

    def _leave(self, waiter: Waiter) -> None:
        """Undo what a waiter that gave up holds: its place in the queue, or its turn."""
        if waiter in self._queue:
            self._queue.remove(waiter)
        elif _has_places(waiter.turn):
            self._store.reserved -= waiter.count
        self._wake()

    def _wake(self) -> None:
        while self._queue and self._store.free >= self._queue[0].count:
            waiter = self._queue.popleft()
            if not waiter.turn.done():
                self._store.reserved += waiter.count
                waiter.turn.set_result(None)

    def _busy(self) -> WireFault:
        total = self._store.limits.sessions
        message = f"{total - self._store.free} of {total} sessions in use"
        return WireFault(Code.BUSY, message, {"retry_after_ms": _RETRY_AFTER_MS})


def stopping() -> WireFault:
    """What is said to those who want sessions of a server that is about to stop."""
    return WireFault(Code.DRAINING, "this server is about to stop; lease elsewhere")


def _has_places(turn: asyncio.Future[None]) -> bool:
    return turn.done() and not turn.cancelled() and turn.exception() is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request that a key stands for."""

    digest: bytes
    """Of the request, which may be long, and as many of them as there are keys are kept."""
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered(Claim):
    """A request and its answer, made or in the making."""

    answer: asyncio.Task[bytes]


class Once:
    """Answers by idempotency key; a failed request is forgotten, so that it may be tried again."""

    def __init__(self, memory_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory_s = memory_s
        self._clock = clock
        self._held: dict[str, Remembered] = {}
        self._claims: dict[str, Claim] = {}

    def claim(self, key: str, request: BaseModel) -> None:
        """Have a key stand for a request whose items are remembered one by one.

        Raises `WireFault` when the key was used for another request.
        """
        self._forget(self._claims)
        held = self._claims.get(key)
        if held is None:
            until = self._clock() + self._memory_s
            self._claims[key] = Claim(digest=_digest(request), until=until)
        elif held.digest != _digest(request):
            raise _taken()

    async def answer(
        self, key: str | None, request: BaseModel, work: Callable[[], Coroutine[None, None, bytes]]
    ) -> bytes:
        """Do the work, unless the same request was made under this key before.

        Raises `WireFault` when the key was used for another request.
        """
        if key is None:
            return await work()
        self._forget(self._held)
        held = self._held.get(key)
        if held is None:
            held = self._begin(key, request, work)
        elif held.digest != _digest(request):
            raise _taken()
        # One caller that goes away must not take the answer from the others.
        return await asyncio.shield(held.answer)

    def _begin(
        self, key: str, request: BaseModel, work: Callable[[], Coroutine[None, None, bytes]]
    ) -> Remembered:
        task = asyncio.ensure_future(work())
        until = self._clock() + self._memory_s
        held = Remembered(digest=_digest(request), answer=task, until=until)
        self._held[key] = held

        def settle(done: asyncio.Task[bytes]) -> None:
            failed = done.cancelled() or done.exception() is not None
            if failed and self._held.get(key) is held:
                del self._held[key]

        task.add_done_callback(settle)
        return held

    def _forget(self, held: "dict[str, Remembered] | dict[str, Claim]") -> None:
        now = self._clock()
        while held:
            oldest = next(iter(held))
            if held[oldest].until > now and len(held) <= _MAX_KEYS:
                break
            del held[oldest]


def _digest(request: BaseModel) -> bytes:
    return sha256(repr(request).encode()).digest()


def _taken() -> WireFault:
    return WireFault(Code.BAD_REQUEST, "this Idempotency-Key was used for another request")

"""Environments on env servers, reached from ordinary code.

`LoopThread` is an event loop in a thread of its own; the pools of the HTTP client live there.
"""

import asyncio
import contextlib
import json
import threading
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import ServerUnreachable
from ..pool import Seat
from ..remote import ClientSpec, RemotePool
from ..types import Options, Task
from .crew import Answer, CrewSpec, Start

T = TypeVar("T")
_FAREWELL_S = 5.0
_GRACE_S = 30.0


class LoopThread:
    """An event loop that runs beside its owner until it is stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self._loop,), daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Result of a coroutine. Raises `ServerUnreachable` past the time."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            raise ServerUnreachable(f"no answer within {timeout_s:g} s", "UNREACHABLE") from None
        finally:
            future.cancel()

    @property
    def is_current(self) -> bool:
        """Whether the caller is the loop's own thread, where waiting for the loop never ends."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """End the loop; calling twice is fine."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
        if not self.is_current:
            self._thread.join(_FAREWELL_S)


class RemoteCrew:
    """Sessions of one environment; those with equal options share a pool."""

    def __init__(
        self, urls: Sequence[str], env_id: str, each: Sequence[Options], spec: CrewSpec
    ) -> None:
        self._env_id, self._spec = env_id, spec
        self._client = ClientSpec(deadline_s=max(spec.step_s, spec.reset_s), create_s=spec.start_s)
        self._thread = LoopThread()
        self._pools: list[RemotePool] = []
        self._end = weakref.finalize(self, _leave, self._thread, self._pools)
        try:
            opening = self._open(urls, each)
            self._seats = self._thread.run(opening, spec.start_s + _GRACE_S)
        except BaseException:
            self.close()
            raise

    def start(self, starts: Mapping[int, Start]) -> dict[int, Answer]:
        """Begin episodes."""
        tasks = {
            i: Task(env=self._env_id, seed=start.seed, options=start.options)
            for i, start in starts.items()
        }
        return self._all({i: self._seats[i].reset(task) for i, task in tasks.items()})

    def answer(self, actions: Mapping[int, str]) -> dict[int, Answer]:
        """Apply actions."""
        return self._all({i: self._seats[i].step(text) for i, text in actions.items()})

    def close(self) -> None:
        """Close the sessions and the connections."""
        self._end()

    def _all(self, calls: Mapping[int, Coroutine[Any, Any, Any]]) -> dict[int, Answer]:
        async def gathered() -> list[Any]:
            return await asyncio.gather(*calls.values(), return_exceptions=True)

        results = self._thread.run(gathered(), self._client.deadline_s + _GRACE_S)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Exception):
                raise result
        return dict(zip(calls, results, strict=True))

    async def _open(self, urls: Sequence[str], each: Sequence[Options]) -> dict[int, Seat]:
        groups: dict[str, list[int]] = {}
        for i, options in enumerate(each):
            groups.setdefault(json.dumps(dict(options), sort_keys=True), []).append(i)
        seats: dict[int, Seat] = {}
        for members in groups.values():
            pool = RemotePool(
                urls,
                self._env_id,
                each[members[0]],
                token=self._spec.token,
                client=self._client,
            )
            self._pools.append(pool)
            seats |= dict(zip(members, await pool.open(len(members)), strict=True))
        return seats


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _leave(thread: LoopThread, pools: list[RemotePool]) -> None:
    async def leave() -> None:
        await asyncio.gather(*(pool.aclose() for pool in pools), return_exceptions=True)

    # Sessions that cannot be closed end with their leases. The garbage collector may bring any
    # thread here, the loop's own among them.
    if not thread.is_current:
        with contextlib.suppress(Exception):
            thread.run(leave(), _FAREWELL_S)
    thread.stop()

"""An event loop beside ordinary code, where the clients of servers live.

`shared_loop` lends one thread to all who want it at the same time; it ends with the last of them. A
forked child has no threads of its parent: it gets a loop of its own.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import ServerUnreachable

T = TypeVar("T")
_FAREWELL_S = 5.0


class LoopThread:
    """An event loop that runs beside its owner until it is stopped."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_serve, args=(self._loop,), daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Result of a coroutine. Raises `ServerUnreachable` past the time."""
        if not self.is_ours or self._loop.is_closed():
            coroutine.close()
            raise ServerUnreachable("its event loop has ended, or is another process's", "CLOSED")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            raise ServerUnreachable(f"no answer within {timeout_s:g} s", "UNREACHABLE") from None
        finally:
            future.cancel()

    @property
    def is_ours(self) -> bool:
        """Whether it runs in this process; a forked child has only the memory of it."""
        return os.getpid() == self._pid

    @property
    def is_current(self) -> bool:
        """Whether the caller is the loop's own thread, where waiting for the loop never ends."""
        return threading.current_thread() is self._thread

    def finish(self, farewell: Coroutine[Any, Any, None], then: Callable[[], None]) -> None:
        """Have a farewell said, whatever comes of it; then what follows.

        The garbage collector may bring any thread here, the loop's own among them, which cannot
        wait for itself.
        """
        if not self.is_ours or self._loop.is_closed():
            farewell.close()
            return
        future = asyncio.run_coroutine_threadsafe(farewell, self._loop)
        if self.is_current:
            future.add_done_callback(lambda _: then())
            return
        with contextlib.suppress(TimeoutError, concurrent.futures.CancelledError):
            future.exception(_FAREWELL_S)
        future.cancel()
        then()

    def stop(self) -> None:
        """End the loop; calling twice is fine."""
        if not self.is_ours or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        if not self.is_current:
            self._thread.join(_FAREWELL_S)


class _Shared:
    """The thread that is lent at present, and to how many."""

    def __init__(self) -> None:
        # The garbage collector may end one user while another is being let in.
        self.lock = threading.RLock()
        self.thread: LoopThread | None = None
        self.users = 0


_SHARED = _Shared()


def borrow_loop() -> LoopThread:
    """The shared loop; give it back with `return_loop`."""
    with _SHARED.lock:
        _SHARED.users += 1
        if _SHARED.thread is None:
            _SHARED.thread = LoopThread()
        return _SHARED.thread


def return_loop(thread: LoopThread) -> None:
    """One user less; the last one ends the loop. Nothing happens in a forked child."""
    if not thread.is_ours:
        return
    with _SHARED.lock:
        if _SHARED.thread is not thread:
            return
        _SHARED.users -= 1
        if _SHARED.users:
            return
        _SHARED.thread = None
    thread.stop()


def _start_afresh() -> None:
    _SHARED.__init__()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()

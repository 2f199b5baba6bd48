"""Stopping politely: the first signal asks, the second one ends the process.

A run cannot be interrupted in the middle of an update without tearing its state, so signals only
set a wish; the loop looks at it between steps, and a rollout under way is cancelled.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class StopWish:
    """Catches SIGINT and SIGTERM while it is open; a context manager."""

    def __init__(self) -> None:
        self.signal: int | None = None
        """The signal that came, if one came."""
        self._cancel: Callable[[], None] | None = None
        self._previous: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        """Whether a signal came."""
        return self.signal is not None

    def run(self, runner: asyncio.Runner, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine that a signal cancels. Raises `asyncio.CancelledError` then."""
        loop = runner.get_loop()

        async def watched() -> T:
            task = asyncio.current_task()
            assert task is not None
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel) and None
            if self.asked:
                raise asyncio.CancelledError
            return await work

        try:
            return runner.run(watched())
        finally:
            self._cancel = None
            work.close()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            os._exit(128 + number)
        self.signal = number
        if self._cancel is not None:
            self._cancel()

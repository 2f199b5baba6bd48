"""A seat at a server, driven from ordinary code; what `RemoteEnv` holds on to."""

import os
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import EpisodeError, ServerError
from ..pool import Seat
from ..remote import ClientSpec
from ..types import Options
from .background import LoopThread, borrow_loop, return_loop
from .meeting import Meeting
from .pool import ConnectedPool, seat_pool
from .target import Target

T = TypeVar("T")
_GRACE_S = 30.0
"""For the loop to be a little late; the client's own deadlines say more about the cause."""
_INHERITED: list[object] = []
"""Lines of a parent process: their sockets are its own, and must not be closed by a collector."""


class Line:
    """A pool with one seat, on the shared loop. Opened at once, closed once."""

    def __init__(
        self, target: Target, options: Options, client: ClientSpec, met: Meeting | None
    ) -> None:
        self._client = client
        self._pid = os.getpid()
        self._thread = borrow_loop()
        self._pool = seat_pool(target, options, client, met)
        self._end = weakref.finalize(self, _hang_up, self._thread, self._pool)
        try:
            self.seat, self.met = self._run(_seated(self._pool), client.create_s)
        except BaseException:
            self._end()
            raise

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it; a forked child must open its own."""
        return os.getpid() == self._pid

    def call(self, ask: Callable[[Seat], Coroutine[Any, Any, T]]) -> T:
        """What the seat answers. Raises what it raises."""
        if not self._end.alive:
            raise ServerError("the environment is closed", "CLOSED")
        if not self.is_ours:
            raise EpisodeError("the episode is the parent process's; call reset first")
        return self._run(ask(self.seat), self._client.deadline_s)

    def close(self) -> None:
        """Give the session back; calling twice is fine."""
        if self.is_ours:
            self._end()
        else:
            self._end.detach()
            _INHERITED.append((self._pool, self._thread))

    def _run(self, coroutine: Coroutine[Any, Any, T], deadline_s: float) -> T:
        return self._thread.run(coroutine, deadline_s + _GRACE_S)


async def _seated(pool: ConnectedPool) -> tuple[Seat, Meeting]:
    (seat,) = await pool.open(1)
    return seat, await pool.meeting()


def _hang_up(thread: LoopThread, pool: ConnectedPool) -> None:
    """Close the session; what cannot be closed ends with its lease."""
    if not thread.is_ours:
        _INHERITED.append((pool, thread))
        return
    thread.finish(pool.aclose(), lambda: return_loop(thread))

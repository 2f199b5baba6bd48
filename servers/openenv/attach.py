"""Which socket a seat belongs to, and what becomes of its session when the socket leaves.

A socket without `session_id` gets a session of its own, which ends with the frame `close`. A socket
that drops leaves it behind: the session lives until its lease ends, and `?session_id=` takes it up
again. While a socket is attached its session's lease is renewed.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ..errors import WireFault
from .face import Face
from .line import Line
from .seats import Seat, Seats

WAIT_S = 10.0
"""How long a client queues for a session; OpenEnv's client gives up after 60 s."""
_TAKEOVER_S = 10.0
"""How long a client waits for the work of the socket that its session had before."""
_RENEWALS = 3
"""Renewals within one lease."""
_RENEWAL_S = (0.05, 300.0)


class BadSession(Exception):
    """The session that a socket asks for cannot be attached."""


@asynccontextmanager
async def attached(face: Face, line: Line, sid: str | None) -> AsyncGenerator[Seat, None]:
    """A seat for a socket, its own or the one it names.

    Raises `BadSession`, and `WireFault` where no session can be leased.
    """
    seat = await _taken(face, sid) if sid else await _fresh(face, line)
    seat.line = line
    renewal = asyncio.ensure_future(_renewing(face.seats, seat))
    try:
        yield seat
    finally:
        renewal.cancel()
        await _leave(face.seats, seat)


async def _fresh(face: Face, line: Line) -> Seat:
    return await line.unless_gone(face.seats.lease(face.env, wait_s=WAIT_S, born_here=True))


async def _taken(face: Face, sid: str) -> Seat:
    try:
        seat = await face.seats.find(sid)
    except WireFault as fault:
        raise BadSession(f"session {sid[:80]!r}: {fault.message}") from None
    if face.named and seat.env != face.env:
        raise BadSession(f"session {sid} plays {seat.env}; this path is {face.env}'s")
    if seat.line is not None and seat.line.gone.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TAKEOVER_S):
                await seat.left.wait()
    if seat.line is not None:
        raise BadSession(f"session {sid} already has an attached socket")
    return seat


async def _leave(seats: Seats, seat: Seat) -> None:
    seat.line = None
    seat.left.set()
    seat.left.clear()
    unplayed = seat.born_here and seat.ep == 0
    with contextlib.suppress(WireFault):
        if seat.closing or unplayed:
            await seats.end(seat)
        else:
            await seats.renew(seat)


async def _renewing(seats: Seats, seat: Seat) -> None:
    low, high = _RENEWAL_S
    # A session that ended meanwhile shows at the client's next request.
    with contextlib.suppress(WireFault):
        while True:
            left = await seats.renew(seat) - time.time()
            await asyncio.sleep(min(max(left / _RENEWALS, low), high))

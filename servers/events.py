"""`/v1/events`: what happens in a server, as server-sent events that a reader may resume.

The last events are kept in one ring that all readers share; a reader is no more than a place in
it, so one that reads slowly costs nobody anything. It is told of a `gap` when it fell behind the
ring. Ids grow by one, and over restarts, since they start from the time of day.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse

from ..envs.types import JsonValue
from .faults import REFUSED
from .watch import End, EpisodeEnd, Watch

_COMMENT_S = 15.0
_CHUNK = 256
"""Events written at once, so that a long catching-up gives others a turn."""
_LONGEST_ID = 18

router = APIRouter(responses=REFUSED)

_EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "description": "`data` is JSON.",
}


@router.get(
    "/v1/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": _EVENT}}}},
)
async def events(
    request: Request,
    last_event_id: Annotated[
        str | None, Header(description="Id of the last event read; resumes after it.")
    ] = None,
) -> StreamingResponse:
    """Events as they happen, without end."""
    ring: Events = request.app.state.host.events
    return StreamingResponse(ring.follow(last_event_id), media_type="text/event-stream")


class Events(Watch):
    """The last `size` events and those who follow them."""

    def __init__(self, size: int, first_id: int | None = None) -> None:
        self._ring: list[bytes] = [b""] * size
        self._first = first_id or time.time_ns() // 1000
        self._next = self._first
        self._news = asyncio.Event()
        self._closed = False

    def created(self, sid: str, env: str) -> None:
        """Tell of it."""
        self._publish("session.created", {"sid": sid, "env": env})

    def ended(self, sid: str, env: str, how: End) -> None:
        """Tell of it."""
        self._publish(f"session.{how}", {"sid": sid, "env": env})

    def episode_ended(self, end: EpisodeEnd) -> None:
        """Tell of it."""
        self._publish(
            "episode.end",
            {
                "sid": end.sid,
                "env": end.env,
                "ep": end.ep,
                "n": end.n,
                "return": end.total,
                "terminated": end.terminated,
                "truncated": end.truncated,
            },
        )

    def draining(self) -> None:
        """Tell of it."""
        self._publish("server.draining", {})

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._news.set()

    async def follow(self, last_id: str | None) -> AsyncIterator[bytes]:
        """What comes after the event of that id; from now on where None."""
        place, missed = self._place(last_id)
        yield b": gigym events\n\n"
        while True:
            if missed or place < self._oldest:
                place, missed = max(place, self._oldest), False
                yield _event("gap", place - 1, {"next": place})
            elif place < self._next:
                upto = min(self._next, place + _CHUNK)
                yield b"".join(self._ring[at % len(self._ring)] for at in range(place, upto))
                place = upto
            elif self._closed:
                return
            elif not await self._happened():
                yield b": nothing new\n\n"

    @property
    def _oldest(self) -> int:
        return max(self._first, self._next - len(self._ring))

    def _place(self, last_id: str | None) -> tuple[int, bool]:
        """Where a reader goes on, and whether it missed something; 0 stands before everything."""
        if last_id is None:
            return self._next, False
        known = last_id.isascii() and last_id.isdecimal() and len(last_id) <= _LONGEST_ID
        last = int(last_id) if known else -1
        if last == 0:
            return self._oldest, self._oldest > self._first
        if self._oldest <= last + 1 <= self._next:
            return last + 1, False
        return self._oldest, True

    async def _happened(self) -> bool:
        """Wait for the next event; whether there was one before it is time for a comment."""
        self._news.clear()
        try:
            async with asyncio.timeout(_COMMENT_S):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def _publish(self, kind: str, data: dict[str, JsonValue]) -> None:
        self._ring[self._next % len(self._ring)] = _event(kind, self._next, data)
        self._next += 1
        self._news.set()


def _event(kind: str, id: int, data: dict[str, JsonValue]) -> bytes:
    return f"id: {id}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode("ascii")

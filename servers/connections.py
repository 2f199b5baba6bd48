"""Connections under the limits that uvicorn does not have.

uvicorn waits without end for the head of a request and for a peer that does not read. Here a
patrol looks at the open connections every second: one that shows the same standstill for too long
is cut, so that stalled clients hold no place. Connections beyond the limit are answered 503 and
closed; those that were there before go on undisturbed.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..envs.wire import BOOT_HEADER, Code
from .errors import WireFault
from .faults import SOBER, fault_response
from .host import Host
from .spec import Limits

_RETRY_AFTER_MS = 1000

Standstill: TypeAlias = tuple[object, int]
"""The request that was last begun and the bytes that wait to be read; equal: nothing moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A connection that stood still when it was looked at."""

    still: Standstill
    since: float
    bound_s: float


class Patrol:
    """Cuts connections that stand still; `look` is to be called about once a second."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._seen: dict[Any, Sighting] = {}

    def look(self, connections: Iterable[Any]) -> int:
        """Cut what stood still for too long; how many there were."""
        now, before = self._clock(), self._seen
        self._seen = {}
        cut = 0
        for connection in list(connections):
            bound_s = self._bound(connection)
            if bound_s is None:
                continue
            still = _standstill(connection)
            last = before.get(connection)
            since = last.since if last is not None and last.still == still else now
            if now - since >= bound_s:
                connection.transport.abort()
                cut += 1
            else:
                self._seen[connection] = Sighting(still=still, since=since, bound_s=bound_s)
        return cut

    def _bound(self, connection: Any) -> float | None:  # noqa: ANN401 - uvicorn has many kinds
        """How long a connection may stay as it is; None where that is as long as it likes."""
        if connection.transport.is_closing() or connection.transport.get_write_buffer_size():
            return self._limits.unread_s
        # A timer runs between requests, and none while a head is awaited or under way.
        if getattr(connection, "timeout_keep_alive_task", self) is not None:
            return None
        cycle = connection.cycle
        return self._limits.head_s if cycle is None or cycle.response_complete else None


def _standstill(connection: Any) -> Standstill:  # noqa: ANN401
    return getattr(connection, "cycle", None), connection.transport.get_write_buffer_size()


class Sockets(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, which would wait for ever after a handshake that has no sense."""

    def data_received(self, data: bytes) -> None:
        """Take bytes; answer and close where they are no handshake."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()


def bounded(protocol: Any, host: Host) -> type[asyncio.Protocol]:  # noqa: ANN401
    """uvicorn's protocol, with connections beyond the limit of the host refused."""
    most = host.spec.limits.connections + host.spec.limits.sessions

    class Bounded(protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)  # pyright: ignore[reportUnknownMemberType]
            if len(self.connections) > most:
                self.app = _refusing(most, host)

    return Bounded


def _refusing(most: int, host: Host) -> ASGIApp:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        detail = {"retry_after_ms": _RETRY_AFTER_MS}
        message = f"{most} connections are open; use fewer, or raise the limit of the server"
        answer = fault_response(WireFault(Code.BUSY, message, {**detail}, status=503))
        answer.headers.update({"Connection": "close", BOOT_HEADER: host.boot, **SOBER})
        host.watch.refused(Code.BUSY)
        await answer(scope, receive, send)

    return refuse

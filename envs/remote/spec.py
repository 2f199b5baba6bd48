"""How patient a client is, and how it talks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx


class Wire(Protocol):
    """An open socket that carries text frames; any of its calls may raise `OSError`."""

    boot: str | None
    """Boot id that the server told when it opened."""

    async def send(self, frame: bytes) -> None:
        """Send one frame of UTF-8 text."""
        ...

    async def receive(self) -> bytes:
        """The next frame."""
        ...

    async def close(self) -> None:
        """Close; calling twice is fine."""
        ...


Dial = Callable[[str, Mapping[str, str], float], Awaitable[Wire]]
"""Opens a socket: URL of the server, headers, longest wait in seconds. May raise `OSError`, or
`SocketRefused` where the server has none."""


class SocketRefused(Exception):
    """The server, or something before it, does not open sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """How patient a client is, and how it talks."""

    deadline_s: float = 60.0
    """Longest wait for one reset or step, the rebuilding of its session included."""
    create_s: float = 60.0
    """Longest wait for sessions when a pool opens."""
    attempt_s: float = 20.0
    """A request without an answer is sent again after this time."""
    connect_s: float = 5.0
    retries: int = 5
    """How often one call is repeated because time ran out on its way, the environment was too
    slow, or its session was lost; other repetitions are bounded by the deadline alone."""
    failover_s: float = 5.0
    """A server silent for this long is given up while there are others."""
    probe_s: float = 5.0
    """Time between two looks at the servers of a pool that has several."""
    lease_s: float = 600.0
    """How long the server keeps sessions of a client that says nothing."""
    backoff_s: float = 0.05
    """First wait before a request is sent again; doubles, up to `backoff_max_s`."""
    backoff_max_s: float = 2.0
    tick_s: float = 0.002
    """Longest time in which calls are collected into one request."""
    flights: int = 4
    """Requests of one kind under way at once, per server."""
    batch: int = 1024
    """Most items of one request."""
    body_bytes: int = 4 * 2**20
    """A longer request is cut in two."""
    socket_sessions: int = 256
    """With up to this many sessions on a server calls travel by its socket; 0: never. Both ways
    carry the same batches, so a socket saves what a request costs; with many sessions that is
    little, and several connections keep long answers from waiting for each other. The table
    `doors` of `gigym bench servers` has the ratios."""
    snapshot_every: int = 0
    """Steps after which a snapshot of the episode is fetched where the environment has them, so
    that a lost session is rebuilt from there; 0: sessions are rebuilt from the beginning."""
    transport: Callable[[str], httpx.AsyncBaseTransport] | None = None
    """Makes the transport for a URL; None opens connections."""
    dial: Dial | None = None
    """Opens the socket of a server; None: websockets, or no socket beside a `transport`."""

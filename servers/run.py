"""Serving until a signal comes: the socket, uvicorn, the ready line, the orderly end.

SIGTERM stops the leasing of sessions and serves the living ones for `grace_s`; SIGINT, or a second
signal, ends after the requests under way; one more ends at once.
"""

import errno
import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from ..envs import BadOption
from .app import create_app
from .connections import Patrol, bounded
from .errors import BindError, PortInUse
from .host import Host
from .ready import Announce, Ready, print_ready
from .spec import ServerSpec, bracketed, check_bind

_BACKLOG = 2048
_TICKS_A_LOOK = 10
_UNREAD_MS = 30_000
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def serve(spec: ServerSpec, announce: Announce = print_ready) -> None:
    """Serve until a signal comes; blocks, and announces itself once it answers.

    Raises `UnsafeBind` and `BindError` for the address, and what `make` raises for an environment
    that cannot be built.
    """
    check_bind(spec)
    for module in spec.imports:
        _import(module)
    with listen(spec.host, spec.port) as listener:
        host = Host(spec)
        EnvServer(host, lambda: announce(_ready(host, listener))).run(sockets=[listener])


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise BadOption(
            f"cannot import {module!r}, which is to register environments: {error}; "
            "is it installed, or its folder on PYTHONPATH?"
        ) from error


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `PortInUse`, or `BindError` for another fault."""
    plain = host.strip("[]")
    place = f"{bracketed(plain)}:{port}"
    try:
        family = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)[0][0]
        return _bound(family, plain, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"{place} is in use by another program; choose another port with --port N, "
                "or any free one with --port 0"
            ) from None
        raise BindError(f"cannot listen on {place}: {error.strerror}") from None


def _bound(family: int, host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; `create_server` names
    # none, and every answer would then wait 40 ms for a delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            # Connections inherit it: a peer that does not read is gone after this time.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class EnvServer(uvicorn.Server):
    """uvicorn under our rules for signals; `announce` is called once requests are answered."""

    def __init__(self, host: Host, announce: Callable[[], None]) -> None:
        super().__init__(_config(host))
        self._host = host
        self._announce = announce
        self._patrol = Patrol(host.spec.limits)
        self._told = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """React to a signal: see the module docstring."""
        if self._host.draining:
            self.force_exit = self.should_exit
            self.should_exit = True
            return
        grace = self._host.spec.grace_s if sig == signal.SIGTERM else 0.0
        self._host.ends = time.monotonic() + grace
        self._host.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to leave."""
        if counter % _TICKS_A_LOOK == 0:
            self._patrol.look(self.server_state.connections)
        if self._host.draining:
            self._drain()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of those who only listen, then of all others."""
        self._host.events.close()
        await super().shutdown(sockets)

    def _drain(self) -> None:
        # A signal comes between any two instructions, so the news is told from here.
        if not self._told:
            self._told = True
            self._host.watch.draining()
        if not self.should_exit:
            self.should_exit = not len(self._host.store) or not self._host.draining_s()


def _config(host: Host) -> uvicorn.Config:
    most = host.spec.limits.connections + host.spec.limits.sessions
    return uvicorn.Config(
        create_app(host),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        http=bounded(AutoHTTPProtocol, most),
        ws=bounded(WebSocketsSansIOProtocol, most),
        ws_max_size=host.spec.limits.body_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 2**10,
    )


def _ready(host: Host, listener: socket.socket) -> Ready:
    """The URL names an address that works on this machine."""
    name = host.spec.host.strip("[]")
    address = bracketed(_WILDCARDS.get(name, name))
    port: int = listener.getsockname()[1]
    return Ready(url=f"http://{address}:{port}", pid=os.getpid(), boot=host.boot)

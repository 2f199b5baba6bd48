"""Serving until a signal comes: the socket, uvicorn, the ready line, the orderly end.

SIGTERM stops the leasing of sessions and serves the living ones for `grace_s`; SIGINT, or a second
signal, ends after the requests under way, two seconds later at most; one more ends at once.
"""

import importlib
import logging
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .. import __version__
from ..envs import BadOption
from .app import create_app
from .connections import Patrol, Sockets, bounded
from .host import Host
from .listening import BACKLOG, listening
from .logs import log_event, logging_to
from .ready import Announce, Ready, curl_line, print_ready
from .spec import ServerSpec, bracketed, check_bind

_TICKS_A_LOOK = 10
_LAST_ANSWERS_S = 2
"""How long requests under way are waited for in the end."""
_STDERR = 2
_FILES = 65_536
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def serve(spec: ServerSpec, announce: Announce = print_ready) -> None:
    """Serve until a signal comes; blocks, and announces itself once it answers.

    Raises `UnsafeBind` and `BindError` for the address, and what `make` raises for an environment
    that cannot be built.
    """
    check_bind(spec)
    for module in spec.imports:
        _import(module)
    with logging_to(_STDERR, spec.log_level), listening(spec) as listener:
        log_event(logging.INFO, "start", version=__version__, envs=[env.id for env in spec.envs])
        _allow_files()
        host = Host(spec)
        try:
            EnvServer(host, lambda: announce(_ready(host, listener))).run(sockets=[listener])
        finally:
            host.log.flush()
            log_event(logging.INFO, "stopped", boot=host.boot, sessions=len(host.store))


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise BadOption(
            f"cannot import {module!r}, which is to register environments: {error}; "
            "is it installed, or its folder on PYTHONPATH?"
        ) from error


def _allow_files() -> None:
    """As many open files as connections may need, where the system lets us have them."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
            cut = self._patrol.look(self.server_state.connections)
            if cut:
                log_event(logging.INFO, "connections.stalled", cut=cut)
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
            self._host.admission.turn_away()
            left_s = round(self._host.draining_s() or 0.0, 1)
            sessions = len(self._host.store)
            log_event(logging.INFO, "draining", sessions=sessions, left_s=left_s)
        if not self.should_exit:
            self.should_exit = not len(self._host.store) or not self._host.draining_s()


def _config(host: Host) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(host),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        http=bounded(AutoHTTPProtocol, host),
        ws=bounded(Sockets, host),
        ws_max_size=host.spec.limits.body_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
        h11_max_incomplete_event_size=64 * 2**10,
    )


def _ready(host: Host, listener: socket.socket) -> Ready:
    """The URL names an address that works on this machine."""
    spec = host.spec
    name = spec.host.strip("[]")
    address = bracketed(_WILDCARDS.get(name, name))
    url = f"unix:{spec.uds}" if spec.uds else f"http://{address}:{listener.getsockname()[1]}"
    log_event(logging.INFO, "ready", url=url, pid=os.getpid(), boot=host.boot)
    token = "$GIGYM_TOKEN" if spec.token else None
    if spec.token_file:
        token = f"$(cat {shlex.quote(spec.token_file)})"
    return Ready(
        url=url,
        pid=os.getpid(),
        boot=host.boot,
        token_file=spec.token_file,
        curl=curl_line(url, spec.envs[0].id, token),
    )

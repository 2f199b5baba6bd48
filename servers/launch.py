"""A server in a child process: started, watched, started again when it dies, ended.

The child listens on the port it got first, also after a restart, so that clients find it again
and replay their episodes. It ends with this process, however that ends. One thread starts and
watches it, since Linux ties the child's life to the thread that started it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from .. import GigymError
from ..envs import errors as env_errors
from ..envs.child import python_path
from ..envs.errors import need
from . import errors as server_errors
from .errors import ServerStartError, WireFault
from .ready import Ready, StartFailure, read_line
from .spec import ServerSpec, dump_spec

_STEADY_S = 60.0
_BACKOFF_S = 0.1
_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a child, and how often to start it again."""

    start_s: float = 60.0
    stop_s: float = 5.0
    restarts: int = 5
    """Restarts in a row; the count starts anew after a steady minute."""


class LocalServer:
    """A context manager; `with LocalServer(spec) as server: ... server.url`."""

    def __init__(
        self, spec: ServerSpec, *, log: Path | None = None, patience: Patience = Patience()
    ) -> None:
        self._spec = spec
        self._patience = patience
        self._own_log = log is None
        self.log = log or _temporary_log()
        """Where the child's stderr and what its environments print go."""
        self.restarts = 0
        """How often the child was started again."""
        self._ready: Ready | None = None
        self._failure: GigymError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._settled = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._supervise, name="gigym-server", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers; stays the same over restarts."""
        if self._ready is None:
            raise ServerStartError("the server is not running; use it inside a with block")
        return self._ready.url

    @property
    def pid(self) -> int:
        """Process id of the present child."""
        if self._ready is None:
            raise ServerStartError("the server is not running; use it inside a with block")
        return self._ready.pid

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises what kept it from starting: the error of its own process where it named one, else
        `ServerStartError` with the end of its log.
        """
        for module in ("fastapi", "prometheus_client", "uvicorn"):
            need(module, "serve")
        self._thread.start()
        try:
            self._settled.wait(self._patience.start_s)
        except BaseException:
            self.stop()
            raise
        if self._failure is None and self._ready is None:
            self._failure = self._not_started(f"was not ready after {self._patience.start_s:g} s")
        if self._failure is not None:
            self.stop()
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the child and wait until it is gone; calling twice is fine."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None:
            _end(process, self._patience.stop_s)
        if self._thread.is_alive():
            self._thread.join()
        if self._own_log and self._failure is None:
            self.log.unlink(missing_ok=True)

    def _supervise(self) -> None:
        try:
            in_a_row = 0
            while (process := self._spawn()) is not None:
                began = time.monotonic()
                self._attend(process)
                if self._ready is None or self._stopping.is_set():
                    return
                in_a_row = 1 if time.monotonic() - began > _STEADY_S else in_a_row + 1
                if in_a_row > self._patience.restarts:
                    return
                self.restarts += 1
                self._note(f"server process ended with {process.returncode}; starting it again\n")
                self._stopping.wait(_BACKOFF_S * 2 ** (in_a_row - 1))
        except OSError as error:
            self._failure = ServerStartError(f"the environment server cannot be started: {error}")
        finally:
            self._settled.set()

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        """A child that was told its spec; None once stopping."""
        with self._lock:
            if self._stopping.is_set():
                return None
            with self.log.open("ab") as log:
                self._process = process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "gigym.servers"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={**os.environ, "PYTHONPATH": python_path()},
                    start_new_session=True,
                )
        return process

    def _attend(self, process: subprocess.Popen[bytes]) -> None:
        """Tell a child its spec, hear what it says, and see it end."""
        assert process.stdin is not None and process.stdout is not None
        too_late = threading.Timer(self._patience.start_s, process.kill)
        too_late.start()
        # Closing stdin tells the child to end, so it stays open until the child has ended.
        with process.stdout as said, contextlib.suppress(BrokenPipeError), process.stdin as told:
            with contextlib.suppress(BrokenPipeError):
                told.write(dump_spec(self._spec).encode() + b"\n")
                told.flush()
            for line in said:
                self._hear(read_line(line), too_late)
            process.wait()
        too_late.cancel()
        if self._ready is None and self._failure is None:
            ended = f"ended with exit code {process.returncode} before it was ready"
            self._failure = self._not_started(ended)

    def _not_started(self, why: str) -> ServerStartError:
        tail = self.log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return ServerStartError(f"the environment server {why}; its log, {self.log}, ends:\n{tail}")

    def _hear(self, said: Ready | StartFailure | None, too_late: threading.Timer) -> None:
        if isinstance(said, Ready):
            too_late.cancel()
            self._ready = said
            self._spec = replace(self._spec, port=urlsplit(said.url).port or 0)
            self._settled.set()
        elif said is not None and self._ready is None:
            self._failure = _as_error(said)
        elif said is not None:
            self._note(f"restart failed: {said.message}\n")

    def _note(self, text: str) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(text)


def _end(process: subprocess.Popen[bytes], patience_s: float) -> None:
    # Not SIGTERM: its owner ends it on purpose, there is nobody left to be served for a while.
    process.send_signal(signal.SIGINT)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _as_error(failure: StartFailure) -> GigymError:
    """The error that the child raised, where its class takes a message alone."""
    for room in (env_errors, server_errors):
        kind = getattr(room, failure.kind, None)
        if isinstance(kind, type) and issubclass(kind, GigymError) and kind is not WireFault:
            return kind(failure.message)
    return ServerStartError(f"the environment server did not start: {failure.message}")


def _temporary_log() -> Path:
    descriptor, name = tempfile.mkstemp(prefix="gigym-server-", suffix=".log")
    os.close(descriptor)
    return Path(name)

"""A worker process and the pipes to it, on the event loop: lines out, lines in, one end.

The process has a session of its own, so that Ctrl-C at a terminal does not reach it, and all that
it started ends with it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Self, cast

from ...envs.child import python_path
from .frames import MODULE

_FLUSH_S = 1.0
"""Longest wait for the pipes of a process that has ended."""
_REAP_S = 5.0
"""Longest wait for a process that was killed; the kernel may not let go of it."""


class Channel(asyncio.SubprocessProtocol):
    """See the module docstring."""

    def __init__(self) -> None:
        self.hear: Callable[[Channel, bytes], None] = _ignore
        """Called with each line that the process says."""
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        """Of a line that has not ended yet."""
        self._unsent: list[bytes] = []
        self._flushing: asyncio.TimerHandle | None = None
        self.ended: asyncio.Future[int | None] = self._loop.create_future()
        """The exit code, once the process is gone and everything it said was heard."""

    @classmethod
    async def open(cls) -> Self:
        """Start a process. Raises `OSError`."""
        channel = cls()
        await asyncio.get_running_loop().subprocess_exec(
            lambda: channel,
            *[sys.executable, "-P", "-m", MODULE],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None,
            env={**os.environ, "PYTHONPATH": python_path()},
            start_new_session=True,
        )
        return channel

    @property
    def pid(self) -> int:
        """Process id; that of its process group as well."""
        return self._pid

    def send(self, line: bytes) -> None:
        """Have the process read a line; lines of one turn of the loop go together."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(line)

    def kill(self) -> None:
        """End the process and what it started, by force."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
            self._loop.call_later(_REAP_S, self._end)

    async def close(self, patience_s: float) -> None:
        """Let the process end by itself, by force after the patience; waits until it is gone."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            async with asyncio.timeout(patience_s):
                await asyncio.shield(self.ended)
        except TimeoutError:
            self.kill()
            await asyncio.shield(self.ended)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the process runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._pid = self._transport.get_pid()
        self._stdin = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(0))

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """asyncio's: the process said something."""
        if b"\n" not in data:
            self._pieces.append(data)
            return
        *lines, rest = data.split(b"\n")
        lines[0] = b"".join([*self._pieces, lines[0]])
        self._pieces = [rest] if rest else []
        for line in lines:
            self.hear(self, line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """asyncio's: a pipe was closed at the other end, which makes the process useless."""
        if fd == 1:
            self.kill()

    def process_exited(self) -> None:
        """asyncio's: the process is gone; what it started goes as well, and with it the pipes."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        self._flushing = self._loop.call_later(_FLUSH_S, self._transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: the process and its pipes are gone."""
        if self._flushing is not None:
            self._flushing.cancel()
        self._transport.close()
        self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(self._transport.get_returncode())

    def _flush(self) -> None:
        lines, self._unsent = self._unsent, []
        if not self._stdin.is_closing():
            self._stdin.write(b"".join(lines))


def _ignore(channel: Channel, line: bytes) -> None:
    """A process that nobody asked anything has nothing to say."""

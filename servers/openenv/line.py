"""A socket whose other end may go away at any moment, also while we work for it."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect

T = TypeVar("T")
_READ_AHEAD = 1
"""Frames read before they are asked for: enough to notice that the client left."""
_STALLED_S = 60.0
"""Longest wait for a client to take a frame."""
_CLOSE_S = 10.0

_LOG = logging.getLogger("gigym.servers")


class Gone(Exception):
    """The client left, or takes no frames."""


class Line:
    """An accepted socket as a context: frames are read ahead, and leaving closes it."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._frames: deque[str | bytes | None] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._reader = asyncio.ensure_future(self._read())
        self.gone = asyncio.Event()
        """Set when the client left."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        left = self.gone.is_set()
        self._reader.cancel()
        await asyncio.wait({self._reader})
        if not left:
            with contextlib.suppress(OSError, RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._socket.close(1000)

    async def frame(self) -> str | bytes | None:
        """The next frame, bytes for a binary one; None when the client left."""
        while not self._frames:
            self._news.clear()
            await self._news.wait()
        self._room.set()
        return self._frames.popleft()

    async def say(self, text: str) -> None:
        """Send a frame. Raises `Gone`."""
        try:
            async with asyncio.timeout(_STALLED_S):
                await self._socket.send_text(text)
        except TimeoutError:
            _LOG.warning("a socket took no answer for %g s; it is cut off", _STALLED_S)
            raise Gone from None
        except (OSError, RuntimeError, WebSocketDisconnect):
            raise Gone from None

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, but not for a client that left. Raises `Gone`, and what the work raises."""
        doing = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(self.gone.wait())
        try:
            await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not doing.done():
                doing.cancel()
        try:
            return await doing
        except asyncio.CancelledError:
            if not self.gone.is_set():
                raise
            raise Gone from None

    async def _read(self) -> None:
        try:
            while (message := await self._socket.receive())["type"] != "websocket.disconnect":
                text: str | None = message.get("text")
                self._put(message["bytes"] if text is None else text)
                while len(self._frames) > _READ_AHEAD:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self.gone.set()
            self._put(None)

    def _put(self, frame: str | bytes | None) -> None:
        self._frames.append(frame)
        self._news.set()

"""Sockets to servers. This is the one file that knows websockets."""

import contextlib
from collections.abc import Mapping

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from ..wire import BOOT_HEADER, SOCKET_PATH
from .address import is_loopback
from .attempt import MAX_ANSWER
from .spec import SocketRefused

_PING_S = 20.0
_FAREWELL_S = 1.0
_SERVER_FAULT = 500


class _Unredirected(connect):
    """Opens a socket at the place that the user named, and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class WebSocketWire:
    """See `gigym.envs.remote.spec.Wire`."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        answer = connection.response
        self.boot = answer.headers.get(BOOT_HEADER) if answer is not None else None

    async def send(self, frame: bytes) -> None:
        """Send one text frame. Raises `OSError` when the connection is lost."""
        try:
            await self._connection.send(frame, text=True)
        except WebSocketException as error:
            raise ConnectionError(str(error)) from error

    async def receive(self) -> bytes:
        """The next frame. Raises `OSError` when the connection is lost."""
        try:
            return await self._connection.recv(decode=False)
        except WebSocketException as error:
            raise ConnectionError(str(error)) from error

    async def close(self) -> None:
        """Close within a second."""
        with contextlib.suppress(WebSocketException, OSError):
            await self._connection.close()


async def dial(url: str, headers: Mapping[str, str], wait_s: float) -> WebSocketWire:
    """Open the socket of the server at a URL.

    Raises `SocketRefused` when it has none for us, `OSError` when it cannot be reached.
    """
    try:
        connection = await _Unredirected(
            "ws" + url.removeprefix("http") + SOCKET_PATH,
            additional_headers=dict(headers),
            user_agent_header=None,
            compression=None,
            # A proxy meant for the internet must not swallow what is meant for this machine.
            proxy=None if is_loopback(url) else True,
            open_timeout=wait_s,
            close_timeout=_FAREWELL_S,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            max_size=MAX_ANSWER,
        )
    except InvalidStatus as error:
        if error.response.status_code >= _SERVER_FAULT:
            raise ConnectionError(str(error)) from error
        raise SocketRefused(str(error)) from error
    except (WebSocketException, ValueError, ImportError) as error:
        raise SocketRefused(str(error)) from error
    return WebSocketWire(connection)

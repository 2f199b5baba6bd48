"""Sessions at servers of OpenEnv 0.10: one WebSocket each, one question at a time.

A session lives and dies with its socket, and answers carry no number: after a wait in vain, or a
call that was cancelled, the socket is of no more use. This is the one file that knows websockets.
"""

import asyncio
import contextlib
import json
from typing import cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)

from ..errors import BadOption, EnvCodeError, ServerError, ServerUnreachable
from ..remote import ClientSpec
from ..remote.address import is_loopback, printable_token
from ..remote.faults import clean
from ..types import Reply
from .foreign import Begin, Full, Lost
from .shapes import ActionForm, Tree, broken, parsed, read_reply
from .target import Shape, Target

_FRAME_BYTES = 16 * 2**20
_HANDSHAKE_S = 10.0
_PING_S = 20.0
_PONG_S = 60.0
"""A server that steps an environment in its event loop answers no ping meanwhile."""
_FAREWELL_S = 2.0
_TOO_BIG = 1009
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_ENDS = frozenset({"SESSION_ERROR"})
"""Codes after which the server closes the socket."""


class _Straight(connect):
    """A connection that follows no redirects: the user named the server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The refusal itself."""
        return exc


class OpenEnvServer:
    """A server's address and how its texts are found."""

    def __init__(self, url: str, target: Target, form: ActionForm, client: ClientSpec) -> None:
        self.url = url
        self._form, self._shape = form, target.shape
        token = target.token
        self._headers = {"Authorization": f"Bearer {printable_token(token)}"} if token else {}
        self._client = client

    async def open(self, give_up_at: float) -> "OpenEnvSession":
        """A fresh session, which has answered once: a full server says so only then."""
        session = OpenEnvSession(self.url, await self._dial(give_up_at), self._form, self._shape)
        try:
            await session.look(give_up_at)
        except Lost as error:
            session.abandon()
            raise ServerUnreachable(str(error), "UNREACHABLE", True) from None
        except BaseException:
            session.abandon()
            raise
        return session

    async def aclose(self) -> None:
        """Nothing is held beyond the sessions."""

    async def _dial(self, give_up_at: float) -> ClientConnection:
        loop = asyncio.get_running_loop()
        wait = min(_HANDSHAKE_S, max(0.01, give_up_at - loop.time()))
        secure, _, rest = self.url.partition("://")
        address = f"{'wss' if secure == 'https' else 'ws'}://{rest}/ws"
        try:
            return await _Straight(
                address,
                additional_headers=self._headers,
                compression=None,
                open_timeout=wait,
                close_timeout=_FAREWELL_S,
                ping_interval=_PING_S,
                ping_timeout=_PONG_S,
                max_size=_FRAME_BYTES,
                # A proxy meant for the internet must not swallow requests to this machine.
                proxy=None if is_loopback(self.url) else True,
            )
        except InvalidStatus as error:
            raise self._refused(error.response.status_code) from None
        except (OSError, TimeoutError, InvalidHandshake, WebSocketException, EOFError) as error:
            detail = clean(str(error)) or "no answer"
            raise ServerUnreachable(
                f"{address} did not open within {wait:.1f} s ({type(error).__name__}: {detail})",
                "UNREACHABLE",
                True,
            ) from None

    def _refused(self, status: int) -> ServerError:
        told = f"{self.url}/ws answered HTTP {status} instead of opening"
        if status in _AGAIN:
            return ServerUnreachable(told, "UNREACHABLE", True)
        if status in (401, 403):
            return ServerError(f"{told}: it wants a token, or another one", "UNAUTHORIZED")
        return ServerError(f"{told}; it does not play over WebSocket", "PROTOCOL")


class OpenEnvSession:
    """A session: a socket and what is said over it."""

    def __init__(self, url: str, socket: ClientConnection, form: ActionForm, shape: Shape) -> None:
        self._url, self._socket = url, socket
        self._form, self._shape = form, shape

    async def begin(self, what: Begin, give_up_at: float) -> Reply:
        """Start an episode."""
        facts = {**what.task.options, "seed": what.task.seed, "episode_id": what.episode_id}
        told = await self._ask({"type": "reset", "data": facts}, "observation", give_up_at)
        return read_reply(told, self._shape, self._url)

    async def act(self, action: str, give_up_at: float) -> Reply:
        """Apply an action."""
        data = self._form.filled(action)
        told = await self._ask({"type": "step", "data": data}, "observation", give_up_at)
        return read_reply(told, self._shape, self._url)

    async def stands_at(self, episode_id: str, turns: int, give_up_at: float) -> bool:
        """Whether it plays this episode and has taken so many turns, as far as it tells."""
        state = await self.look(give_up_at)
        return state.get("step_count") == turns and state.get("episode_id") in (episode_id, None)

    async def look(self, give_up_at: float) -> Tree:
        """The state; empty where the environment has none to show."""
        try:
            return await self._ask({"type": "state"}, "state", give_up_at)
        except EnvCodeError:
            return {}

    def abandon(self) -> None:
        """Cut the connection."""
        self._socket.transport.abort()

    async def aclose(self) -> None:
        """Say good-bye."""
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(_FAREWELL_S):
                await self._socket.send('{"type":"close"}')
                await self._socket.close()
        self.abandon()

    async def _ask(self, frame: Tree, expected: str, give_up_at: float) -> Tree:
        """The data of an answer of the expected type. Raises what an error frame stands for."""
        try:
            text = json.dumps(frame, allow_nan=False)
        except (ValueError, TypeError) as error:
            raise BadOption(f"what is sent to a server must be JSON: {error}") from None
        told = self._parsed(await self._exchange(text, give_up_at))
        data = told.get("data")
        if not isinstance(data, dict):
            raise broken(self._url, "a frame must hold an object `data`")
        if told.get("type") == "error":
            raise self._error(cast("Tree", data))
        if told.get("type") != expected:
            kind = clean(str(told.get("type")))[:40]
            raise broken(self._url, f"expected a frame of type {expected!r}, got {kind!r}")
        return cast("Tree", data)

    async def _exchange(self, text: str, give_up_at: float) -> str | bytes:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout_at(give_up_at):
                # What the server said before it closed can still be read.
                with contextlib.suppress(ConnectionClosed):
                    await self._socket.send(text)
                return await self._socket.recv()
        except TimeoutError:
            waited = loop.time() - began
            raise ServerUnreachable(
                f"{self._url}/ws gave no answer within {waited:.1f} s", "UNREACHABLE", True
            ) from None
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code == _TOO_BIG:
                raise broken(self._url, f"a frame is longer than {_FRAME_BYTES} bytes") from None
            raise Lost(f"{self._url} closed the socket ({clean(str(error))})") from None

    def _parsed(self, frame: str | bytes) -> Tree:
        told = parsed(frame)
        if not isinstance(told, dict):
            raise broken(self._url, "a frame is not a JSON object")
        return cast("Tree", told)

    def _error(self, data: Tree) -> Exception:
        """What an error frame stands for."""
        code = clean(str(data.get("code", "")))[:40] or "UNKNOWN"
        told = clean(str(data.get("message", "")))
        faults = data.get("errors")
        if isinstance(faults, list) and faults:
            told += f": {clean(json.dumps(faults))[:500]}"
        message = f"{self._url}: {told} ({code})"
        if code == "CAPACITY_REACHED":
            return Full(f"{told} ({data.get('active_sessions')} of {data.get('max_sessions')})")
        if code in _ENDS:
            return Lost(message)
        if code == "VALIDATION_ERROR":
            return BadOption(message)
        if code == "EXECUTION_ERROR":
            return EnvCodeError(message)
        return ServerError(message, code)

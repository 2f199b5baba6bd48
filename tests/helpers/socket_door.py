"""Sockets to servers without a network: the frames of `/v1/ws` go straight into the application."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from far_seats import Network
from http_door import Tree
from starlette.types import ASGIApp, Message

from gigym.envs.remote.spec import SocketRefused

CLOSED = object()


class AsgiSocket:
    """A client's end; the server's `send` waits while `room` answers were not taken."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str], room: int = 64) -> None:
        self.boot: str | None = None
        self.closed_with: int | None = None
        self.accepted = False
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[Any] = asyncio.Queue(room)
        named = {"host": "127.0.0.1:8000", **{name.lower(): text for name, text in headers.items()}}
        raw = [(name.encode(), text.encode()) for name, text in named.items()]
        scope = {
            "type": "websocket",
            "path": "/v1/ws",
            "raw_path": b"/v1/ws",
            "query_string": b"",
            "headers": raw,
            "subprotocols": [],
            "scheme": "ws",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        self._to_app.put_nowait({"type": "websocket.connect"})
        self.served = asyncio.create_task(self._serve(app, scope))

    async def _serve(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._to_app.get, self._take)
        finally:
            with contextlib.suppress(asyncio.QueueFull):
                self._from_app.put_nowait(CLOSED)

    async def _take(self, message: Message) -> None:
        await self._from_app.put(message)

    async def open(self) -> "AsgiSocket":
        """Wait for the server to accept, or raise `SocketRefused`."""
        message = await self._from_app.get()
        if message is CLOSED or message["type"] != "websocket.accept":
            raise SocketRefused("HTTP 403")
        self.accepted = True
        told = dict(message["headers"]).get(b"x-gigym-boot")
        self.boot = told.decode() if told else None
        return self

    async def send(self, frame: bytes) -> None:
        if self.closed_with is not None:
            raise ConnectionError("closed")
        self._to_app.put_nowait({"type": "websocket.receive", "text": frame.decode()})

    async def send_raw(self, message: dict[str, object]) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", **message})

    async def receive(self) -> bytes:
        message = await self._from_app.get()
        if message is CLOSED or message["type"] == "websocket.close":
            self.closed_with = 1000 if message is CLOSED else message["code"]
            raise ConnectionError(f"closed with {self.closed_with}")
        return message["text"].encode()

    @property
    def idle(self) -> bool:
        """Nothing came that was not taken."""
        return self._from_app.empty()

    async def close(self) -> None:
        if self.closed_with is None:
            self.closed_with = 1000
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def ask(self, **frame: object) -> Tree:
        """Send a frame and wait for the next answer."""
        await self.send(json.dumps(frame).encode())
        return json.loads(await self.receive())


class Sockets:
    """Opens sockets to the servers of a network, and keeps those it opened."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.opened: list[AsgiSocket] = []
        self.frames: Counter[str] = Counter()

    async def dial(self, url: str, headers: Mapping[str, str], wait_s: float) -> "CountedSocket":
        """See `gigym.envs.remote.spec.Dial`."""
        app = self.network.app(url)
        named = {"Host": url.split("//")[1], **headers}
        socket = AsgiSocket(app, named)
        self.opened.append(socket)
        await socket.open()
        return CountedSocket(self, socket)


class CountedSocket:
    """A socket whose frames are counted by call."""

    def __init__(self, sockets: Sockets, socket: AsgiSocket) -> None:
        self.sockets, self.socket, self.boot = sockets, socket, socket.boot

    async def send(self, frame: bytes) -> None:
        self.sockets.frames[json.loads(frame)["call"]] += 1
        await self.socket.send(frame)

    async def receive(self) -> bytes:
        return await self.socket.receive()

    async def close(self) -> None:
        await self.socket.close()


class LossySockets(Sockets):
    """Sockets that lose, repeat, delay and swap frames of either way, and break: 5 % each."""

    def __init__(self, network: Network, seed: int = 0) -> None:
        super().__init__(network)
        self.faults: Counter[str] = Counter()
        self._random = random.Random(seed)

    async def dial(self, url: str, headers: Mapping[str, str], wait_s: float) -> "LossySocket":
        opened = await super().dial(url, headers, wait_s)
        return LossySocket(self, opened.socket)

    def strikes(self, fault: str) -> bool:
        strikes = self._random.random() < 0.05
        self.faults[fault] += strikes
        return strikes


class LossySocket(CountedSocket):
    def __init__(self, sockets: LossySockets, socket: AsgiSocket) -> None:
        super().__init__(sockets, socket)
        self.lossy = sockets
        self._kept: list[bytes] = []

    async def send(self, frame: bytes) -> None:
        if self.lossy.strikes("broken before"):
            await self.socket.close()
            raise ConnectionError("broken before sending")
        if self.lossy.strikes("duplicate"):
            await super().send(frame)
        await super().send(frame)

    async def receive(self) -> bytes:
        while True:
            if self._kept and (self.socket.idle or self.lossy.strikes("late")):
                return self._kept.pop(0)
            frame = await self.socket.receive()
            if self.lossy.strikes("broken after"):
                await self.socket.close()
                raise ConnectionError("broken before the answer was read")
            if self.socket.idle or not self.lossy.strikes("swapped"):
                return frame
            self._kept.append(frame)

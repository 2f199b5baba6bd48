"""A real server in this process, and OpenEnv's protocol over its sockets in short form."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from http_door import SPEC, Tree
from websockets.asyncio.client import ClientConnection, connect

from gigym.servers import ServerSpec
from gigym.servers.host import Host
from gigym.servers.openenv.face import Hall
from gigym.servers.run import EnvServer

WAIT_S = 30.0


class Talk:
    """One socket; frames are JSON trees."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def hear(self) -> Tree:
        async with asyncio.timeout(WAIT_S):
            return json.loads(await self.socket.recv())

    async def ask(self, kind: str, data: object = None) -> Tree:
        """The answer to a frame."""
        await self.socket.send(
            json.dumps({"type": kind} if data is None else {"type": kind, "data": data})
        )
        return await self.hear()

    async def raw(self, frame: str | bytes) -> Tree:
        await self.socket.send(frame)
        return await self.hear()

    async def told(self, kind: str, data: object = None) -> Tree:
        """What an answer says; it must be no error."""
        answer = await self.ask(kind, data)
        assert answer["type"] != "error", answer
        return answer["data"]

    async def error(self, kind: str, data: object = None) -> Tree:
        """What an error frame says."""
        answer = await self.ask(kind, data)
        assert answer["type"] == "error", answer
        return answer["data"]

    async def step(self, command: object) -> Tree:
        return await self.told("step", {"command": command})

    async def state(self) -> Tree:
        return await self.told("state")

    async def closed(self) -> int | None:
        """The code with which the server closes the socket."""
        async with asyncio.timeout(WAIT_S):
            await self.socket.wait_closed()
        return self.socket.close_code


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A server that listens."""

    host: Host
    port: int
    hall: Hall

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def talk(self, path: str = "/ws", **headers: str) -> AsyncIterator[Talk]:
        url = f"ws://127.0.0.1:{self.port}{path}"
        async with connect(url, additional_headers=headers, max_size=None) as socket:
            yield Talk(socket)


@asynccontextmanager
async def open_house(
    spec: ServerSpec = SPEC, clock: Callable[[], float] | None = None, **limits: float
) -> AsyncIterator[House]:
    """A server on a free port; `limits` replace fields of its limits."""
    spec = replace(spec, limits=replace(spec.limits, **limits))
    host = Host(spec, clock) if clock else Host(spec)
    ready = asyncio.Event()
    server = EnvServer(host, ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(WAIT_S):
                await ready.wait()
            app = cast("Any", server.config.app)
            port = listener.getsockname()[1]
            yield House(host=host, port=port, hall=app.state.openenv)
        finally:
            server.should_exit = True
            async with asyncio.timeout(WAIT_S):
                await serving


async def until(wish: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(WAIT_S):
        while not wish():
            await asyncio.sleep(0.01)

"""A small server that behaves as OpenEnv's own does: sessions die with their sockets.

It plays a corridor whose texts follow from the seed, or from nothing where seeds are ignored.
"""

import asyncio
import contextlib
import json
import random
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self, cast

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Tree = dict[str, Any]
ACTION: Tree = {
    "type": "object",
    "properties": {"command": {"type": "string"}, "metadata": {"type": "object"}},
    "required": ["command"],
}
OBSERVATION: Tree = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "legal_actions": {"type": "array", "items": {"type": "string"}},
    },
}


@dataclass(kw_only=True)
class Habits:
    """How the server behaves; tests change it while it runs."""

    name: str = "dark"
    action: Tree = field(default_factory=lambda: dict(ACTION))
    honours_seeds: bool = True
    keeps_sessions: bool = False
    """Unlike the original: a new socket finds the session of the last one."""
    capacity: int = 64
    token: str = ""
    drop: Callable[[Tree], bool] = lambda frame: False
    """Whether the socket is cut instead of an answer; the frame was applied."""
    answer: Callable[[Tree, Tree], object] = lambda frame, told: told
    """What is sent for a frame in the place of what it deserves; None: nothing at all."""


class Dark:
    """The environment."""

    def __init__(self) -> None:
        self.rng = random.Random(0)
        self.steps, self.episode = 0, None

    def reset(self, facts: Tree, honours_seeds: bool) -> Tree:
        self.rng = random.Random(facts.get("seed") if honours_seeds else None)
        self.steps, self.episode = 0, facts.get("episode_id")
        return self.told(f"It is dark. {self.rng.randrange(10**6)}", None, False)

    def step(self, action: Tree) -> Tree:
        self.steps += 1
        done = action["command"] == "take lamp"
        text = f"You {action['command']}. {self.rng.randrange(10**6)}"
        return self.told(text, float(done), done) | {"metadata": {"won": done}}

    def told(self, text: str, reward: float | None, done: bool) -> Tree:
        observation = {"text": text, "legal_actions": ["east", "west"], "metadata": {}}
        return {"observation": observation, "reward": reward, "done": done}


class OpenEnvDouble:
    """The server, on a thread of its own, as long as a `with` block lasts."""

    def __init__(self, **habits: object) -> None:
        self.habits = Habits(**cast("Any", habits))
        self.frames: list[Tree] = []
        """What sockets sent, looks at the state left aside."""
        self.opened, self.alive = 0, 0
        """Sockets opened so far, and those open now."""
        self.url = ""
        self._kept = Dark()
        self._sockets: set[ServerConnection] = set()
        self._ready, self._port = threading.Event(), 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def cut(self) -> None:
        """Every socket is gone from one moment to the next."""

        def abort() -> None:
            for socket in tuple(self._sockets):
                socket.transport.abort()

        self._loop.call_soon_threadsafe(abort)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._listen())
        self._loop.close()

    async def _listen(self) -> None:
        self._stop = asyncio.Event()
        async with serve(self._talk, "127.0.0.1", 0, process_request=self._page) as server:
            self.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            self._ready.set()
            await self._stop.wait()

    def _page(self, socket: ServerConnection, request: Request) -> Response | None:
        habits = self.habits
        pages: dict[str, object] = {
            "/health": {"status": "healthy"},
            "/metadata": {"name": habits.name, "description": "a corridor", "version": "2.0"},
            "/list_environments": [f"{habits.name}_env"],
            "/schema": {"action": habits.action, "observation": OBSERVATION, "state": {}},
        }
        wanted = f"Bearer {habits.token}"
        told = request.headers.get("Authorization", "")
        if habits.token and request.path != "/health" and told != wanted:
            return socket.respond(HTTPStatus.UNAUTHORIZED, "{}")
        if request.path == "/ws":
            return None
        if request.path in pages:
            return socket.respond(HTTPStatus.OK, json.dumps(pages[request.path]))
        return socket.respond(HTTPStatus.NOT_FOUND, '{"detail":"Not Found"}')

    async def _talk(self, socket: ServerConnection) -> None:
        async with self._place(socket) as free:
            if not free:
                full = {"message": "Server at capacity", "code": "CAPACITY_REACHED"}
                counts = {"active_sessions": self.alive - 1, "max_sessions": self.habits.capacity}
                await socket.send(json.dumps({"type": "error", "data": full | counts}))
                return
            env = self._kept if self.habits.keeps_sessions else Dark()
            with contextlib.suppress(ConnectionClosed):
                async for raw in socket:
                    frame = json.loads(raw)
                    if frame["type"] == "close":
                        return
                    if not await self._answer(socket, env, frame):
                        socket.transport.abort()
                        return

    async def _answer(self, socket: ServerConnection, env: Dark, frame: Tree) -> bool:
        told = self._told(env, frame)
        if frame["type"] != "state":
            self.frames.append(frame)
        if self.habits.drop(frame):
            return False
        sent = self.habits.answer(frame, told)
        if sent is not None:
            await socket.send(sent if isinstance(sent, str) else json.dumps(sent))
        return True

    def _told(self, env: Dark, frame: Tree) -> Tree:
        if frame["type"] == "state":
            facts = {"episode_id": env.episode, "step_count": env.steps}
            return {"type": "state", "data": facts}
        if frame["type"] == "reset":
            told = env.reset(frame.get("data", {}), self.habits.honours_seeds)
            return {"type": "observation", "data": told}
        if set(frame["data"]) != {"command"}:
            return error_frame("Invalid message", "VALIDATION_ERROR")
        if frame["data"]["command"] == "boom":
            return error_frame("the lamp exploded", "EXECUTION_ERROR")
        return {"type": "observation", "data": env.step(frame["data"])}

    @contextlib.asynccontextmanager
    async def _place(self, socket: ServerConnection) -> AsyncIterator[bool]:
        self.opened += 1
        self.alive += 1
        self._sockets.add(socket)
        try:
            yield self.alive <= self.habits.capacity
        finally:
            self.alive -= 1
            self._sockets.discard(socket)


def error_frame(message: str, code: str) -> Tree:
    return {"type": "error", "data": {"message": message, "code": code}}

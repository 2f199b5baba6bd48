"""Servers that answer as AgentGym's do: `error` under HTTP 200, and a spelling for each world."""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx
from fastapi import FastAPI

Tree = dict[str, Any]


class AgentGymDouble:
    """One server of a world, without sockets."""

    def __init__(self, world: str) -> None:
        self.world = world
        self.games: dict[int, random.Random | None] = {}
        self.calls: Counter[str] = Counter()
        self.bodies: list[Tree] = []
        self.lose: set[str] = set()
        """Routes whose next answer is lost on its way back."""
        self.slow_s = 0.0
        app = FastAPI()
        app.add_api_route("/", lambda: "This is an environment.", methods=["GET"])
        app.add_api_route("/create", self.create, methods=["POST"])
        app.add_api_route("/reset", self.reset, methods=["POST"])
        app.add_api_route("/step", self.step, methods=["POST"])
        app.add_api_route("/available_actions", self.available, methods=["GET"])
        if world in ("textcraft", "babyai", "sciworld"):
            app.add_api_route("/close", self.close, methods=["POST"])
        self.app = app

    def transport(self, url: str) -> httpx.AsyncBaseTransport:
        return _Way(self)

    @property
    def name(self) -> str:
        return "env_idx" if self.world == "webshop" else "id"

    def create(self) -> Any:  # noqa: ANN401
        number = len(self.games)
        self.games[number] = None
        return number if self.world == "webshop" else {"id": number}

    def reset(self, body: Tree) -> Any:  # noqa: ANN401
        self.bodies.append(body)
        spelled = {"alfworld": "game", "webshop": "session_id"}.get(self.world, "data_idx")
        if body[spelled] > 100:
            return {"error": "list index out of range"}
        rng = self.games[body[self.name]] = random.Random(body[spelled])
        text = f"Game {rng.randrange(1000)}."
        if self.world == "webshop":
            return [text, None]
        extra = {"task_description": "Boil water."} if self.world == "sciworld" else {}
        return {
            "id": body["id"],
            "observation": text,
            "task_type": "boil",
            **self.choices(),
            **extra,
        }

    async def step(self, body: Tree) -> Any:  # noqa: ANN401
        await asyncio.sleep(self.slow_s)
        self.bodies.append(body)
        rng = self.games.get(body[self.name])
        if rng is None:
            return {"error": f"The id {body[self.name]} is not valid."}
        done = body["action"] == "win"
        text = f"You {body['action']} {rng.randrange(1000)}"
        key = "state" if self.world == "webshop" else "observation"
        return {key: text, "reward": float(done), "done": done, "info": None, **self.choices()}

    def choices(self) -> Tree:
        return {"available_actions": ["look", "win"]} if self.world == "alfworld" else {}

    def available(self, env_idx: int) -> Tree:
        return {"has_search_bar": True, "clickables": ["search", "buy now"]}

    def close(self, body: Tree) -> bool:
        del self.games[body["id"]]
        return True


class _Way(httpx.AsyncBaseTransport):
    def __init__(self, double: AgentGymDouble) -> None:
        self._double = double
        self._app = httpx.ASGITransport(double.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self._double.calls[path] += 1
        answer = await self._app.handle_async_request(request)
        body = await answer.aread()
        if path in self._double.lose:
            self._double.lose.discard(path)
            raise httpx.ReadError("lost on the way back")
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)

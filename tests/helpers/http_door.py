"""An env server without sockets, and the calls of its protocol in short form."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import corridor_env
import httpx

from gigym.servers import HostedEnv, ServerSpec
from gigym.servers.app import create_app
from gigym.servers.host import Host

Tree = dict[str, Any]
"""A JSON object."""
URL = "http://127.0.0.1:8000"
ALL_ENVS = tuple(
    HostedEnv(id=card.id)
    for card in (
        corridor_env.CORRIDOR,
        corridor_env.HALLWAY,
        corridor_env.TRAPDOOR,
        corridor_env.DICE,
    )
)
SPEC = ServerSpec(envs=ALL_ENVS)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """A server's door; answers are JSON trees."""

    def __init__(self, host: Host, http: httpx.AsyncClient) -> None:
        self.host = host
        self.http = http

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body, headers=named)

    async def items(self, path: str, *items: Tree) -> list[Tree]:
        answer = await self.post(path, {"items": list(items)})
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    async def item(self, path: str, **fields: object) -> Tree:
        (result,) = await self.items(path, fields)
        return result

    async def lease(self, env: str = "Corridor-v0", count: int = 1, **more: object) -> list[str]:
        answer = await self.post("/v1/sessions", {"env": env, "count": count, **more})
        assert answer.status_code == 201, answer.text
        return [session["sid"] for session in answer.json()["sessions"]]

    async def begun(self, env: str = "Corridor-v0", seed: int = 7) -> str:
        """A session whose first episode was started."""
        (sid,) = await self.lease(env)
        result = await self.item("/v1/reset", sid=sid, ep=0, seed=seed)
        assert "reply" in result, result
        return sid


@asynccontextmanager
async def open_door(
    spec: ServerSpec = SPEC, clock: Callable[[], float] | None = None, **limits: float
) -> AsyncIterator[Door]:
    """A fresh server; `limits` replace fields of its limits."""
    spec = replace(spec, limits=replace(spec.limits, **limits))
    host = Host(spec, clock) if clock else Host(spec)
    transport = httpx.ASGITransport(create_app(host))
    headers = {"Authorization": f"Bearer {spec.token}"} if spec.token else None
    async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as http:
        try:
            yield Door(host, http)
        finally:
            await host.close()


def error_of(answer: httpx.Response) -> Tree:
    """The error object of a refused request."""
    return answer.json()["error"]


__all__ = ["ALL_ENVS", "SPEC", "URL", "Clock", "Door", "Tree", "error_of", "open_door"]

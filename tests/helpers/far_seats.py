"""Seats at servers without sockets: faulty ways to them, and one way to play in every seat."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import corridor_env  # noqa: F401
import httpx
from starlette.types import ASGIApp

from gigym.envs import Reply, Task
from gigym.envs.pool import LocalPool, Seat
from gigym.envs.remote import ClientSpec
from gigym.servers import ServerSpec
from gigym.servers.app import create_app
from gigym.servers.host import Host

QUICK = ClientSpec(
    deadline_s=5.0,
    create_s=5.0,
    attempt_s=1.0,
    failover_s=0.2,
    backoff_s=0.001,
    backoff_max_s=0.02,
)
"""Patience fit for tests."""


class Network:
    """Servers by URL; may be stopped and started again, and counts what reaches them."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.requests: Counter[str] = Counter()
        self._ways: dict[str, httpx.ASGITransport] = {}

    def start(self, url: str, spec: ServerSpec) -> Host:
        """A server at a URL, in the place of one that was there."""
        host = self.hosts[url] = Host(spec)
        self._ways[url] = httpx.ASGITransport(create_app(host))
        return host

    def stop(self, url: str) -> None:
        """From here on nobody listens there."""
        del self._ways[url]

    def app(self, url: str) -> ASGIApp:
        """The application at a URL."""
        if url not in self._ways:
            raise ConnectionRefusedError("connection refused")
        return self._ways[url].app

    async def carry(self, url: str, request: httpx.Request) -> httpx.Response:
        """Deliver a request, with the answer read to its end."""
        if url not in self._ways:
            raise httpx.ConnectError("connection refused")
        self.requests[request.url.path] += 1
        answer = await self._ways[url].handle_async_request(request)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)

    def client(self, **changes: object) -> ClientSpec:
        """A client of these servers."""
        return replace(QUICK, transport=lambda url: Wire(self, url), **changes)


class Wire(httpx.AsyncBaseTransport):
    """The way to one server."""

    def __init__(self, network: Network, url: str) -> None:
        self.network, self.url = network, url

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.network.carry(self.url, request)


class LossyWire(Wire):
    """Loses, refuses, repeats and delays requests and loses answers: 5 % each."""

    def __init__(self, network: Network, url: str, seed: int = 0) -> None:
        super().__init__(network, url)
        self.faults: Counter[str] = Counter()
        self._random = random.Random(seed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._strikes("lost request"):
            raise httpx.ConnectError("lost on the way there")
        if self._strikes("refused request"):
            return httpx.Response(503, headers={"Retry-After": "0"})
        if self._strikes("delay"):
            await asyncio.sleep(self._random.uniform(0, 0.01))
        if self._strikes("duplicate"):
            await self.network.carry(self.url, request)
        answer = await self.network.carry(self.url, request)
        if self._strikes("lost answer"):
            raise httpx.ReadError("lost on the way back")
        return answer

    def _strikes(self, fault: str) -> bool:
        strikes = self._random.random() < 0.05
        self.faults[fault] += strikes
        return strikes


Hook = Callable[[int], Awaitable[None]]


async def play(
    seat: Seat, seed: int, *, env: str = "Corridor-v0", steps: int = 10, hook: Hook | None = None
) -> list[Reply]:
    """The replies of an episode whose actions follow from the seed alone."""
    rng = random.Random(seed)
    replies = [await seat.reset(Task(env=env, seed=seed))]
    for turn in range(steps):
        if replies[-1].done:
            break
        if hook is not None:
            await hook(turn)
        action = rng.choice(replies[-1].admissible_actions or ("east", "west", "take lamp"))
        replies.append(await seat.step(action))
    return replies


async def play_all(
    seats: Sequence[Seat], *, env: str = "Corridor-v0", steps: int = 10, first: int = 0
) -> list[list[Reply]]:
    """An episode in each seat, at once, with seeds from `first` on."""
    games = (play(seat, first + i, env=env, steps=steps) for i, seat in enumerate(seats))
    return list(await asyncio.gather(*games))


async def in_process(
    count: int, *, env: str = "Corridor-v0", steps: int = 10, first: int = 0
) -> list[list[Reply]]:
    """What `play_all` must give."""
    async with LocalPool(env, {}) as pool:
        return await play_all(await pool.open(count), env=env, steps=steps, first=first)

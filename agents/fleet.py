"""Several servers as one: who gets which request, orders to all of them, a push to all of them.

Requests go to the server with the fewest outstanding, those of one episode to the same one, where
its earlier turns are cached. A server that is lost is left out until a push reaches it again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .engine import PauseMode, WeightSource
from .errors import EngineError, PushError
from .link import Link, LinkDown
from .source import safetensors_parts
from .transfer import Transfer, choose_transfer

Item = TypeVar("Item")
Result = TypeVar("Result")
_HOMES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersSpec:
    """Which servers, and how long to wait for them."""

    urls: tuple[str, ...]
    model: str = ""
    """Name of the served model; empty takes the first that is listed."""
    api_key: str = ""
    max_concurrency: int = 64
    """Requests at a time, on each server."""
    control_s: float = 120.0
    """Longest wait for one control request, such as a pause that drains."""
    part_bytes: int = 64 << 20
    """Size of the parts in which weights are sent."""


class Fleet:
    """The servers of one engine."""

    def __init__(self, spec: ServersSpec, links: Sequence[Link]) -> None:
        self.links = tuple(links)
        self._spec = spec
        self._homes: OrderedDict[str, Link] = OrderedDict()
        self._transfers: dict[Link, Transfer] = {}

    def home(self, request_id: str) -> Link | None:
        """The episode's server, or the one with least to do; None while none is alive."""
        episode = request_id.rpartition("/")[0] or request_id
        link = self._homes.pop(episode, None)
        if link is None or not link.alive:
            alive = [link for link in self.links if link.alive]
            link = min(alive, key=lambda link: link.outstanding, default=None)
        if link is not None:
            self._homes[episode] = link
            if len(self._homes) > _HOMES:
                self._homes.popitem(last=False)
        return link

    async def order(self, path: str, **content: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        """A control request to all that are alive. Raises `EngineError`."""
        deadline_s = self._spec.control_s
        try:
            return await _all(
                self._alive(), lambda link: link.order(path, deadline_s=deadline_s, **content)
            )
        except LinkDown as error:
            raise EngineError(str(error)) from error

    async def push(
        self, weights: WeightSource, version: str, *, mode: PauseMode, resume: bool
    ) -> int:
        """Pause, start, send, finish, reset the prefix cache, resume; bytes that were sent.

        Raises `EngineError`, `LinkDown` or `PushError`, and leaves the servers paused then.
        """
        for link in self.links:
            link.alive = link.alive or await link.answers()
        transfers = [await self._transfer(link) for link in self._alive()]
        await self.order("/pause", params={"mode": mode, "clear_cache": "true"})
        await _all(transfers, lambda transfer: transfer.begin())
        sent = 0
        for part in safetensors_parts(weights, self._spec.part_bytes):
            await _all(transfers, lambda transfer, part=part: transfer.send(part))
            sent += len(part)
        await _all(transfers, lambda transfer: transfer.commit(version))
        await self._reset()
        if resume:
            await self.order("/resume")
        return sent

    async def close(self) -> None:
        """Hang up."""
        for link in self.links:
            await link.close()

    async def _transfer(self, link: Link) -> Transfer:
        if not link.facts.control:
            raise PushError(
                f"{link.url} has no control routes; start it with VLLM_SERVER_DEV_MODE=1"
            )
        if link not in self._transfers:
            self._transfers[link] = await choose_transfer(link, self._spec.control_s)
        return self._transfers[link]

    async def _reset(self) -> None:
        """What was cached under the old weights must be gone; the servers say so in the body."""
        told = await self.order("/reset_prefix_cache", params={"reset_running_requests": "true"})
        for link, body in zip(self._alive(), told, strict=True):
            if body.get("success") is not True:
                raise PushError(f"{link.url} kept its prefix cache: {body}")

    def _alive(self) -> list[Link]:
        alive = [link for link in self.links if link.alive]
        if not alive:
            raise EngineError(f"no server answers: {', '.join(link.url for link in self.links)}")
        return alive


async def _all(items: Sequence[Item], step: Callable[[Item], Awaitable[Result]]) -> list[Result]:
    """The step for all at once; the first failure is raised when all are done."""
    results = await asyncio.gather(*map(step, items), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]

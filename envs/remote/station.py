"""One server as a pool sees it: places for sessions, and calls that travel in batches."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import pydantic_core
from pydantic import BaseModel

from ... import GigymError
from ..errors import BadOption, ServerError, UnknownEnv
from ..types import Options
from ..wire import ForkItem, ResetItem, RestoreItem, SidItem, SocketCall, StepItem
from ..wire_answers import (
    CloseAnswer,
    EnvInfo,
    Failed,
    Forked,
    Frozen,
    FrozenAnswer,
    LeaseAnswer,
    PlayAnswer,
    Played,
)
from .attempt import Call, broken
from .batcher import Batcher
from .link import Link
from .orders import Orders
from .spec import ClientSpec

PlayItem: TypeAlias = ResetItem | StepItem | RestoreItem
ItemT = TypeVar("ItemT", bound=SidItem)
ResultT = TypeVar("ResultT", Played | Failed, Frozen | Failed)
_LONGEST_QUEUE_S = 5.0
_FAREWELL_S = 2.0
_FULL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a pool leases everywhere."""

    env_id: str
    options: Options


class Station:
    """See the module docstring."""

    def __init__(self, link: Link, wanted: Wanted, spec: ClientSpec) -> None:
        self.link = link
        self.held = 0
        """Sessions of ours, those being leased included."""
        self.places = 0
        """Sessions we may have, as far as is known."""
        self.full_until = 0.0
        """Loop time until which it is thought to have no place."""
        self.misfit: ServerError | None = None
        """Why none of our sessions may be there: it plays another version than the others."""
        self._wanted = wanted
        self._spec = spec
        self._dropped: list[str] = []
        self._met: tuple[str | None, EnvInfo] | None = None
        self._orders = Orders(link)
        self._leases = Batcher(self._send_leases, spec, unclaimed=self._dropped.append)
        self._plays: dict[type[PlayItem], Batcher[PlayItem, Played | Failed]] = {
            ResetItem: self._batcher("reset"),
            StepItem: self._batcher("step"),
            RestoreItem: self._batcher("restore"),
        }
        self._freezes: Batcher[SidItem, Frozen | Failed] = Batcher(
            self._sender("snapshot", FrozenAnswer), spec
        )

    @property
    def free(self) -> int:
        """Places not taken, as far as is known."""
        return self.places - self.held

    async def meet(self, give_up_at: float) -> EnvInfo:
        """What the server says of our environment, asked anew after each of its restarts.

        Raises `UnknownEnv` when it does not serve it.
        """
        if self._met is not None and self._met[0] == self.link.boot:
            return self._met[1]
        return await self.look(give_up_at)

    async def look(self, give_up_at: float) -> EnvInfo:
        """As `meet`, always asked: whether it is there, draining, and how many places it has."""
        info = await self.link.info(give_up_at)
        self.link.told_status(info.status)
        if info.status not in ("ready", "draining"):
            self.full_until = asyncio.get_running_loop().time() + self._spec.probe_s
        self.places = info.free + self.held
        for env in info.envs:
            if env.id == self._wanted.env_id:
                self._met = (self.link.boot, env)
                return env
        offered = ", ".join(env.id for env in info.envs) or "nothing"
        raise UnknownEnv(
            f"{self.link.url} has no environment {self._wanted.env_id!r}; it serves: {offered}"
        )

    async def lease(self, give_up_at: float) -> str:
        """A fresh session's sid."""
        try:
            return await self._leases.ask(None, give_up_at)
        except ServerError as error:
            if error.retryable:
                self.full_until = asyncio.get_running_loop().time() + _FULL_S
            raise

    async def play(self, item: PlayItem, give_up_at: float) -> Played | Failed:
        """Result of a reset, step or restore."""
        return await self._plays[type(item)].ask(item, give_up_at)

    async def freeze(self, sid: str, give_up_at: float) -> Frozen | Failed:
        """Snapshot of a session."""
        return await self._freezes.ask(SidItem(sid=sid), give_up_at)

    async def fork(self, sid: str, count: int, give_up_at: float) -> Forked | Failed:
        """Copies of a session; they count as held."""
        item = ForkItem(sid=sid, count=count)
        answer = await self._orders.fork(_items([item]), give_up_at)
        self._check("fork", [item], answer.results)
        (result,) = answer.results
        if isinstance(result, Forked):
            if len(result.children) != count:
                raise broken(
                    self.link.url, f"{count} copies asked for, {len(result.children)} came"
                )
            self.held += count
        return result

    def drop(self, sid: str | None) -> None:
        """A session is ours no more; the server hears of it at the next occasion."""
        self.held -= 1
        if sid is not None:
            self._dropped.append(sid)

    async def tend(self, sids: Sequence[str]) -> None:
        """Renew the sessions still in use, and close those that were dropped."""
        give_up_at = asyncio.get_running_loop().time() + self._spec.attempt_s
        with contextlib.suppress(GigymError):
            await self._about("renew", LeaseAnswer, sids, give_up_at)
            await self._orders.settle(give_up_at)
        await self.close_dropped(give_up_at)

    async def aclose(self) -> None:
        """Close what was dropped if the server still listens, and the connections."""
        for batcher in (self._leases, self._freezes, *self._plays.values()):
            await batcher.aclose()
        if not self.link.silent:
            give_up_at = asyncio.get_running_loop().time() + _FAREWELL_S
            with contextlib.suppress(GigymError):
                await self._orders.settle(give_up_at)
            await self.close_dropped(give_up_at)
        await self.link.aclose()

    async def close_dropped(self, give_up_at: float) -> None:
        """Make room on the server; what it does not hear of ends with its lease."""
        dropped = [*self._dropped, *self._orders.spare, *self._orders.stray]
        for held in (self._dropped, self._orders.spare, self._orders.stray):
            held.clear()
        with contextlib.suppress(GigymError):
            await self._about("close", CloseAnswer, dropped, give_up_at)

    async def _about(
        self, call: SocketCall, answer: type[BaseModel], sids: Sequence[str], give_up_at: float
    ) -> None:
        for begin in range(0, len(sids), self._spec.batch):
            items = [SidItem(sid=sid) for sid in sids[begin : begin + self._spec.batch]]
            await self.link.ask(self._call(call, answer, _items(items)), give_up_at)

    async def _send_leases(self, items: list[None], give_up_at: float) -> list[str]:
        await self.meet(give_up_at)
        if self._dropped:
            await self.close_dropped(give_up_at)
        left = give_up_at - asyncio.get_running_loop().time()
        wait_s = max(0.0, min(left / 2, _LONGEST_QUEUE_S))
        return await self._orders.lease(
            len(items), lambda count: self._order(count, wait_s), give_up_at
        )

    def _order(self, count: int, wait_s: float) -> bytes:
        return _json(
            {
                "env": self._wanted.env_id,
                "count": count,
                "lease_s": self._spec.lease_s,
                "wait_s": wait_s,
                "options": dict(self._wanted.options),
            }
        )

    def _batcher(self, call: SocketCall) -> Batcher[PlayItem, Played | Failed]:
        return Batcher(self._sender(call, PlayAnswer), self._spec, callers=lambda: self.held)

    def _sender(
        self, call: SocketCall, answer: type[BaseModel]
    ) -> Callable[[list[Any], float], Coroutine[Any, Any, list[Any]]]:
        async def send(items: list[Any], give_up_at: float) -> list[Any]:
            body = _items(items)
            if len(body) > self._spec.body_bytes and len(items) > 1:
                half = len(items) // 2
                return await send(items[:half], give_up_at) + await send(items[half:], give_up_at)
            told: Any = await self.link.ask(self._call(call, answer, body), give_up_at)
            self._check(call, items, told.results)
            return list(told.results)

        return send

    def _call(self, name: SocketCall, answer: type[BaseModel], body: bytes) -> Call[BaseModel]:
        by_socket = self.held <= self._spec.socket_sessions
        return Call(path=f"/v1/{name}", answer=answer, body=body, frame=name if by_socket else None)

    def _check(self, call: str, items: Sequence[SidItem], results: Sequence[Any]) -> None:
        if [result.sid for result in results] != [item.sid for item in items]:
            raise broken(self.link.url, f"the results of /v1/{call} are not those of the items")


def _items(items: Sequence[BaseModel]) -> bytes:
    return pydantic_core.to_json({"items": items})


def _json(value: object) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode("ascii")
    except (ValueError, TypeError) as error:
        raise BadOption(f"the options of an environment must be JSON: {error}") from None

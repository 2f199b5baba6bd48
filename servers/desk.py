"""Sessions under small numbers, for the clients of AgentGym.

A number stands for a session of the native protocol and the place its client has come to.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

from starlette.responses import JSONResponse, Response

from ..envs.types import JsonValue
from ..envs.wire import Code, ResetItem, SessionsRequest, SidItem, StepItem
from .batch import Result, settled
from .errors import WireFault
from .host import Host

Tree: TypeAlias = dict[str, Any]
_SLACK = 256


@dataclass(slots=True, kw_only=True)
class Held:
    """A session under the number that AgentGym's client knows."""

    sid: str
    ep: int = 0
    n: int = 0
    reply: Tree | None = None
    """The last one; None before the first reset."""


class Desk:
    """Sessions of one environment by number."""

    def __init__(self, host: Host, env: str) -> None:
        self._host = host
        self._env = env
        self._numbers = count()
        self._held: dict[int, Held] = {}

    async def create(self) -> int:
        """Lease a session. Raises `WireFault` when there is none to have."""
        (sid,) = await self._host.lease(SessionsRequest(env=self._env))
        self._forget()
        number = next(self._numbers)
        self._held[number] = Held(sid=sid)
        return number

    async def reset(self, number: int, seed: int) -> Tree:
        """Start an episode; its reply."""
        held = self._find(number)
        item = ResetItem(sid=held.sid, ep=held.ep, seed=seed)
        return await self._heard(held, self._host.store.reset(item))

    async def step(self, number: int, action: str) -> Tree:
        """Take an action; its reply."""
        held = self._find(number)
        item = StepItem(sid=held.sid, ep=held.ep, n=held.n, action=action)
        return await self._heard(held, self._host.store.step(item))

    def last(self, number: int) -> Tree:
        """The last reply."""
        reply = self._find(number).reply
        if reply is None:
            raise WireFault(Code.NOT_RESET, f"the environment {number} was not reset")
        return reply

    async def close(self, number: int) -> bool:
        """End a session; whether there was one."""
        held = self._held.pop(number, None)
        if held is None:
            return False
        await settled(self._host.store.close(SidItem(sid=held.sid)))
        return True

    def numbers(self) -> list[int]:
        """Of all that are alive."""
        return [number for number, held in self._held.items() if held.sid in self._host.store]

    async def answer(self, told: Awaitable[JsonValue]) -> Response:
        """What was told, or the error in AgentGym's way."""
        try:
            return JSONResponse(await told)
        except WireFault as fault:
            self._host.watch.refused(fault.code)
            return JSONResponse({"error": fault.message})

    async def shown(self, number: int, look: Callable[[Tree], JsonValue]) -> Response:
        """Something of the last reply."""

        async def told() -> JsonValue:
            return look(self.last(number))

        return await self.answer(told())

    def _find(self, number: int) -> Held:
        if number not in self._held:
            raise WireFault(Code.SESSION_UNKNOWN, f"the id {number} is not valid; create one")
        return self._held[number]

    async def _heard(self, held: Held, result: Result) -> Tree:
        played: Tree = json.loads(await settled(result))
        held.ep, held.n, held.reply = played["ep"], played["n"], played["reply"]
        return played["reply"]

    def _forget(self) -> None:
        """Drop the numbers of sessions that ended unused."""
        if len(self._held) > 2 * len(self._host.store) + _SLACK:
            self._held = {number: self._held[number] for number in self.numbers()}

"""Sessions under small numbers, for the clients of AgentGym.

A number stands for a seat, as OpenEnv's clients have them: neither name a position.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

from starlette.responses import JSONResponse, Response

from ..envs.types import JsonValue
from ..envs.wire import Code
from ..envs.wire_answers import ReplyBody
from .errors import WireFault
from .host import Host
from .openenv.attach import WAIT_S
from .openenv.seats import Seat, Seats
from .openenv.translate import Opening

Tree: TypeAlias = dict[str, Any]
_SLACK = 256


@dataclass(slots=True, kw_only=True)
class Held:
    """A session under the number that AgentGym's client knows."""

    seat: Seat
    reply: Tree | None = None
    """The last one; None before the first reset."""


class Desk:
    """Sessions of one environment by number."""

    def __init__(self, host: Host, env: str) -> None:
        self._host = host
        self._env = env
        self._seats = Seats(host)
        self._numbers = count()
        self._held: dict[int, Held] = {}

    async def create(self) -> int:
        """Lease a session. Raises `WireFault` when there is none to have."""
        seat = await self._seats.lease(self._env, wait_s=WAIT_S, born_here=False)
        self._forget()
        number = next(self._numbers)
        self._held[number] = Held(seat=seat)
        return number

    async def reset(self, number: int, seed: int) -> Tree:
        """Start an episode; its reply."""
        held = self._find(number)
        return _noted(held, await self._seats.reset(held.seat, Opening(seed=seed)))

    async def step(self, number: int, action: str) -> Tree:
        """Take an action; its reply."""
        held = self._find(number)
        return _noted(held, await self._seats.step(held.seat, action))

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
        await self._seats.end(held.seat)
        return True

    def numbers(self) -> list[int]:
        """Of all that are alive."""
        return [n for n, held in self._held.items() if held.seat.sid in self._host.store]

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

    def _forget(self) -> None:
        """Drop the numbers of sessions that ended unused."""
        if len(self._held) > 2 * len(self._host.store) + _SLACK:
            self._held = {number: self._held[number] for number in self.numbers()}


def _noted(held: Held, reply: ReplyBody) -> Tree:
    held.reply = reply.model_dump(mode="json")
    return held.reply

"""Sessions that are ordered from a server, so that none is forgotten on the way.

An order carries an idempotency key. One whose answer never came is made again under its key before
anything new is ordered, and at the end: what the server made for it is used, or closed.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ... import GigymError
from ..errors import ServerUnreachable
from ..wire_answers import Failed, ForkAnswer, SessionsAnswer
from .attempt import Call, broken
from .link import Link

Made: TypeAlias = SessionsAnswer | ForkAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request that makes sessions."""

    call: Call[Any]
    boot: str | None
    """Boot id of the server it was made to; another one knows nothing of it."""


@dataclass(slots=True)
class Orders:
    """Orders to one server."""

    link: Link
    spare: list[str] = field(default_factory=list[str])
    """Fresh sessions that nobody waits for any more."""
    stray: list[str] = field(default_factory=list[str])
    """Copies that nobody waits for any more."""
    _lost: list[Order] = field(default_factory=list[Order])

    async def lease(
        self, count: int, body_of: Callable[[int], bytes], give_up_at: float
    ) -> list[str]:
        """Sids of fresh sessions, ordered by the body that `body_of` gives for a number of them."""
        await self.settle(give_up_at)
        missing = count - len(self.spare)
        if missing > 0:
            body = body_of(missing)
            call = Call(path="/v1/sessions", answer=SessionsAnswer, body=body, key=_fresh_key())
            answer = await self._make(Order(call=call, boot=self.link.boot), give_up_at)
            sids = _sids_of(answer)
            if len(sids) != missing:
                raise broken(self.link.url, f"{missing} sessions asked for, got {len(sids)}")
            self.spare += sids
        taken, self.spare[:] = self.spare[:count], self.spare[count:]
        return taken

    async def fork(self, body: bytes, give_up_at: float) -> ForkAnswer:
        """Copies of one session."""
        call = Call(path="/v1/fork", answer=ForkAnswer, body=body, key=_fresh_key())
        answer = await self._make(Order(call=call, boot=self.link.boot), give_up_at)
        assert isinstance(answer, ForkAnswer)
        return answer

    async def settle(self, give_up_at: float) -> None:
        """Learn what became of orders without an answer. Raises `ServerUnreachable` as before."""
        while self._lost:
            order = self._lost.pop()
            if order.boot != self.link.boot:
                continue
            # An order that is refused by now has made nothing.
            with contextlib.suppress(_Refused):
                answer = await self._make_again(order, give_up_at)
                fresh = isinstance(answer, SessionsAnswer)
                (self.spare if fresh else self.stray).extend(_sids_of(answer))

    async def _make_again(self, order: Order, give_up_at: float) -> Made:
        try:
            return await self._make(order, give_up_at)
        except ServerUnreachable:
            raise
        except GigymError as error:
            raise _Refused from error

    async def _make(self, order: Order, give_up_at: float) -> Made:
        try:
            return await self.link.ask(order.call, give_up_at)
        except (ServerUnreachable, asyncio.CancelledError):
            self._lost.append(order)
            raise


class _Refused(Exception):
    """The server has an answer to an order, and it is no."""


def _sids_of(made: Made) -> list[str]:
    if isinstance(made, SessionsAnswer):
        return [leased.sid for leased in made.sessions]
    forked = [result for result in made.results if not isinstance(result, Failed)]
    return [child.sid for result in forked for child in result.children]


def _fresh_key() -> str:
    return secrets.token_hex(16)

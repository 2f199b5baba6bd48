"""Sessions as OpenEnv's clients use them: one at a time, and without naming a position.

A seat is an ordinary session of the host and what this protocol adds to it: where its client
believes it stands, the name of its episode, the socket attached to it. Sessions that native clients
leased can be taken as seats as well, and the other way round.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from ...envs.wire import (
    Code,
    JsonObject,
    RenewItem,
    ResetItem,
    SessionsRequest,
    SidItem,
    StepItem,
)
from ...envs.wire_answers import Failed, Leased, Played, PlayResult, ReplyBody, SessionAnswer
from ..batch import Result, settled
from ..errors import WireFault
from ..host import Host
from .line import Line
from .translate import Opening

_ANSWER: TypeAdapter[Played | Failed] = TypeAdapter(PlayResult)
_MOVED = frozenset({Code.STEP_INDEX, Code.STEP_CONFLICT})
"""The session does not stand where this face believed it to stand."""
_MARGIN_S = 5.0
"""A worker's own deadline comes first; this one is for a worker that does not keep it."""
_SPARE_SEATS = 64
"""Seats of dead sessions that are kept before somebody looks for them."""


@dataclass(slots=True, kw_only=True, eq=False)
class Seat:
    """See the module docstring."""

    sid: str
    env: str
    born_here: bool
    """Made for a socket, with which it ends."""
    ep: int = 0
    n: int = 0
    named: tuple[int, str] | None = None
    """Name that a client gave to an episode, and which."""
    line: Line | None = None
    """The socket attached to it."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a socket leaves."""
    closing: bool = False
    """To be ended when the attached socket leaves."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One request at a time."""

    @property
    def episode_id(self) -> str | None:
        """Name of the episode under way: the client's, else one that is unique."""
        if self.ep == 0:
            return None
        if self.named is not None and self.named[0] == self.ep:
            return self.named[1]
        return f"{self.sid}.{self.ep}"


class Seats:
    """All seats of a server."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._seats: dict[str, Seat] = {}

    @property
    def attached(self) -> int:
        """Seats with a socket."""
        return sum(seat.line is not None for seat in self._seats.values())

    async def lease(self, env: str, *, wait_s: float, born_here: bool) -> Seat:
        """A seat with a fresh session. Raises `WireFault` when there is none to be had."""
        (sid,) = await self.host.lease(SessionsRequest(env=env, wait_s=wait_s))
        return self._keep(Seat(sid=sid, env=env, born_here=born_here))

    async def find(self, sid: str) -> Seat:
        """The seat of a living session, whoever leased it. Raises `WireFault`."""
        view = await self._view(sid)
        seat = self._seats.get(sid)
        if seat is None:
            seat = self._keep(Seat(sid=sid, env=view.env, born_here=False))
        return seat

    async def reset(self, seat: Seat, opening: Opening) -> ReplyBody:
        """Start an episode. Raises `WireFault`."""

        def begin() -> Result:
            item = ResetItem(sid=seat.sid, ep=seat.ep, seed=opening.seed, options=opening.options)
            return self.host.store.reset(item)

        async with seat.turn:
            reply = await self._play(seat, begin, self.host.spec.limits.reset_s)
            if opening.episode_id is not None:
                seat.named = (seat.ep, opening.episode_id)
        return reply

    async def step(self, seat: Seat, command: str) -> ReplyBody:
        """Take one action. Raises `WireFault`."""

        def act() -> Result:
            item = StepItem(sid=seat.sid, ep=seat.ep, n=seat.n, action=command)
            return self.host.store.step(item)

        async with seat.turn:
            return await self._play(seat, act, self.host.spec.limits.step_s)

    async def state(self, seat: Seat) -> JsonObject:
        """Where the session stands, whoever played it. Raises `WireFault`."""
        async with seat.turn:
            await self._look(seat)
            return {
                "episode_id": seat.episode_id,
                "step_count": seat.n,
                "session_id": seat.sid,
                "env": seat.env,
            }

    async def renew(self, seat: Seat) -> float:
        """Begin the lease anew; when it ends now, in Unix time. Raises `WireFault`."""
        answer = await settled(self.host.store.renew(RenewItem(sid=seat.sid)))
        return Leased.model_validate_json(answer).lease_until

    async def end(self, seat: Seat) -> None:
        """Close the session."""
        self._seats.pop(seat.sid, None)
        await settled(self.host.store.close(SidItem(sid=seat.sid)))

    def capacity(self) -> JsonObject:
        """Sessions in use and those there can be."""
        total = self.host.spec.limits.sessions
        return {"active_sessions": total - self.host.store.free, "max_sessions": total}

    async def _play(self, seat: Seat, call: Callable[[], Result], limit_s: float) -> ReplyBody:
        """Play where the session stands, which another client may have changed meanwhile."""
        for _ in range(2):
            played = await _answer_of(call, limit_s)
            if isinstance(played, Played) and not played.replayed:
                seat.ep, seat.n = played.ep, played.n
                return played.reply
            if isinstance(played, Failed) and played.error.code not in _MOVED:
                raise _fault_of(played)
            await self._look(seat)
        raise WireFault(Code.STEP_CONFLICT, "another client plays this session at the same time")

    async def _look(self, seat: Seat) -> None:
        view = await self._view(seat.sid)
        seat.ep, seat.n = view.ep, view.n

    async def _view(self, sid: str) -> SessionAnswer:
        return SessionAnswer.model_validate_json(await settled(self.host.store.view(sid)))

    def _keep(self, seat: Seat) -> Seat:
        if len(self._seats) >= len(self.host.store) + _SPARE_SEATS:
            self._forget()
        self._seats[seat.sid] = seat
        return seat

    def _forget(self) -> None:
        """Drop the seats whose sessions are gone."""
        for seat in [s for s in self._seats.values() if s.sid not in self.host.store]:
            del self._seats[seat.sid]


async def _answer_of(call: Callable[[], Result], limit_s: float) -> Played | Failed:
    try:
        async with asyncio.timeout(limit_s + _MARGIN_S):
            return _ANSWER.validate_json(await settled(call()))
    except TimeoutError:
        message = f"the environment did not answer within {limit_s:g} s"
        raise WireFault(Code.TIMEOUT, message) from None
    except WireFault as fault:
        if fault.code not in _MOVED:
            raise
        return Failed.model_validate({"error": fault.body()})


def _fault_of(failed: Failed) -> WireFault:
    """What a worker process answered, as the error that it raised."""
    error = failed.error
    code = Code(error.code) if error.code in set(Code) else Code.INTERNAL
    return WireFault(code, error.message, error.detail)

"""A seat at a server: one episode after the other, whatever happens to servers and connections.

The seat keeps what it takes to come back to where it stands: the task, the actions, and the keys
of the states they led to. When its session is gone it leases another one, here or elsewhere, has
the episode replayed with the keys compared, and goes on; the caller sees nothing of it. A server
that is about to stop is left beforehand, with a snapshot where the environment has them.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import ValidationError

from ... import GigymError
from ..errors import (
    BadOption,
    EnvTimeout,
    EpisodeError,
    EpisodeLost,
    ServerError,
    ServerUnreachable,
)
from ..types import Reply, Task
from ..wire import (
    SESSION_GONE,
    Code,
    ResetItem,
    RestoreItem,
    StepItem,
    explain,
    replay_key,
)
from ..wire_answers import Failed, Fault, Frozen, Played
from .faults import as_error, clean
from .fleet import Fleet
from .past import Held, Past, Session, come_back, from_bytes, to_bytes
from .spec import ClientSpec
from .station import Station

T = TypeVar("T")
Ask = Callable[[Session, float], Awaitable[T | Failed]]
"""A call of a session, with the loop time to give up at."""
_PAUSE_S = 0.05
_OUT_OF_STEP = frozenset({Code.STEP_INDEX, Code.STEP_CONFLICT, Code.NOT_RESET})
"""The session stands elsewhere than we think: as good as lost."""
_COUNTED = SESSION_GONE | _OUT_OF_STEP | {Code.TIMEOUT}
"""Met again and again by an action that kills its worker or never ends."""


class RemoteSeat:
    """See the module docstring. Used by one episode at a time."""

    def __init__(self, fleet: Fleet, client: ClientSpec) -> None:
        self._fleet = fleet
        self._client = client
        self._session: Session | None = None
        self._past: Past | None = None
        self._turn = asyncio.Lock()
        """Held by a call of the episode, or by the move to another server."""

    @property
    def place(self) -> tuple[Station, str] | None:
        """Where its session is, when it has one."""
        return (self._session.station, self._session.sid) if self._session else None

    async def settle(self, give_up_at: float) -> None:
        """Have a session. Raises `ServerError` when there is none by then."""

        async def nothing(session: Session, give_up_at: float) -> None:
            return None

        async with self._turn:
            await self._insist(nothing, give_up_at)

    async def reset(self, task: Task) -> Reply:
        """Start the task's episode."""
        self._past = None
        seed, options = task.seed, dict(task.options)

        async def begin(session: Session, give_up_at: float) -> Played | Failed:
            item = ResetItem(sid=session.sid, ep=session.ep, seed=seed, options=options)
            return await session.play(item, 0, give_up_at)

        reply = (await self._ask(begin)).reply.to_reply()
        self._past = Past(
            task=task, first_n=0, actions=[], keys=[replay_key(reply)], done=reply.done
        )
        return reply

    async def step(self, action: str) -> Reply:
        """Apply one action."""
        past = self._begun("step")
        if past.done:
            raise EpisodeError("the episode is over; call reset first")
        sent, n = _encodable(action), past.n

        async def act(session: Session, give_up_at: float) -> Played | Failed:
            item = StepItem(sid=session.sid, ep=session.ep, n=n, action=sent)
            return await session.play(item, n + 1, give_up_at)

        reply = (await self._ask(act)).reply.to_reply()
        past.add(sent, reply)
        every = self._client.snapshot_every
        if every and len(past.actions) % every == 0 and not past.done:
            await self._hold(past)
        return reply

    async def snapshot(self) -> bytes:
        """The running episode, for `restore` of any seat, and of an environment in process.

        Where an environment cannot freeze its state, its seed and the actions so far are the
        snapshot, which only seats restore. Raises `EpisodeError` before a reset, `Unsupported`
        where neither is possible.
        """
        self._begun("snapshot")
        return to_bytes((await self._ask(_freeze)).snapshot)

    async def restore(self, snapshot: bytes) -> Reply:
        """Continue from a snapshot; answers the reply it was taken after.

        Raises `BadOption` for bytes that are no snapshot of this environment and version.
        """
        self._past = None
        await self.settle(self._give_up_at())
        assert self._fleet.env is not None
        held = from_bytes(snapshot, self._fleet.env)

        async def thaw(session: Session, give_up_at: float) -> Played | Failed:
            item = RestoreItem(sid=session.sid, ep=session.ep, snapshot=held)
            return await session.play(item, None, give_up_at)

        played = await self._ask(thaw)
        reply = played.reply.to_reply()
        self._past = Past(
            task=None,
            first_n=played.n,
            actions=[],
            keys=[replay_key(reply)],
            done=reply.done,
            held=Held(snapshot=held, at=0),
        )
        return reply

    async def fork(self, count: int = 1) -> tuple["RemoteSeat", ...]:
        """Independent copies of the running episode, each in a seat of its own.

        They are kept until the pool closes, or until `leave`.
        """
        past = self._begun("fork")

        async def copy(session: Session, give_up_at: float) -> list[Session] | Failed:
            forked = await session.station.fork(session.sid, count, give_up_at)
            if isinstance(forked, Failed):
                return forked
            sids = (child.sid for child in forked.children)
            return [Session(station=session.station, sid=sid, ep=session.ep) for sid in sids]

        twins: list[RemoteSeat] = []
        for session in await self._ask(copy):
            twin = RemoteSeat(self._fleet, self._client)
            twin._session, twin._past = session, past.copy()
            self._fleet.guests.add(twin)
            twins.append(twin)
        return tuple(twins)

    def leave(self) -> None:
        """Give the session up; its server closes it at the next occasion."""
        self._fleet.guests.discard(self)
        self._forget()

    async def move(self) -> bool:
        """Take the episode from a server that is about to stop to another one, if there is one.

        What cannot be moved stays, and is replayed elsewhere once the server is gone.
        """
        async with self._turn:
            old, past = self._session, self._past
            if old is None or not old.station.link.draining:
                return False
            if past is None or past.done:
                self._forget()
                return True
            with contextlib.suppress(GigymError):
                if self._fleet.can("snapshot"):
                    await self._hold(past)
                self._session = await self._lease(self._give_up_at())
                old.station.drop(old.sid)
                self._fleet.handed_over += 1
            return self._session is not old

    async def _hold(self, past: Past) -> None:
        """Keep a snapshot, if one is to be had at once: it only shortens a replay."""
        session = self._session
        if session is None:
            return
        give_up_at = asyncio.get_running_loop().time() + self._client.attempt_s
        with contextlib.suppress(GigymError):
            result = await _freeze(session, give_up_at)
            if isinstance(result, Frozen):
                past.held = Held(snapshot=result.snapshot, at=len(past.actions))

    async def _ask(self, ask: Ask[T]) -> T:
        async with self._turn:
            try:
                return await self._insist(ask, self._give_up_at())
            except ValidationError as error:
                raise BadOption(explain(error)) from None

    async def _insist(self, ask: Ask[T], give_up_at: float) -> T:
        """Lease, replay and ask until there is an answer."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            try:
                session = self._session or await self._settled(give_up_at)
                result = await ask(session, give_up_at)
                if not isinstance(result, Failed):
                    return result
                self._consider(result.error, session)
            except ServerError as error:
                failures += error.code in _COUNTED
                if not error.retryable or loop.time() + _PAUSE_S >= give_up_at:
                    raise self._final(error) from None
                if failures > self._client.retries:
                    raise _given_up(error, failures) from None
                if isinstance(error, ServerUnreachable) and not self._fleet.alone:
                    self._forget()
            except asyncio.CancelledError:
                # Whether the server applied the call is unknown: the next one starts afresh.
                self._forget()
                raise
            await asyncio.sleep(_PAUSE_S)

    async def _settled(self, give_up_at: float) -> Session:
        session = self._session = await self._lease(give_up_at)
        self._fleet.rebuilt += self._past is not None
        return session

    async def _lease(self, give_up_at: float) -> Session:
        """A fresh session that stands where the episode stands."""
        station = self._fleet.choose()
        station.held += 1
        sid: str | None = None
        try:
            sid = await station.lease(give_up_at)
            self._fleet.check(station, await station.meet(give_up_at))
            session = Session(station=station, sid=sid)
            if self._past is not None:
                await come_back(self._past, session, self._fleet, give_up_at)
        except BaseException:
            station.drop(sid)
            raise
        return session

    def _forget(self) -> None:
        if self._session is not None:
            self._session.station.drop(self._session.sid)
            self._session = None

    def _consider(self, fault: Fault, session: Session) -> None:
        """Raise the error of a fault; retryable where another session, or time, may help."""
        url = session.station.link.url
        if fault.code in SESSION_GONE or fault.code in _OUT_OF_STEP:
            self._forget()
            raise ServerError(f"{url}: {clean(fault.message)}", clean(fault.code), retryable=True)
        raise as_error(fault, url)

    def _final(self, error: ServerError) -> ServerError:
        """The error for a call whose time is over."""
        unreached = isinstance(error, ServerUnreachable)
        if self._past is None or self._session is not None or unreached or not error.retryable:
            return error
        return EpisodeLost(f"the session was lost and no other was to be had: {error}", error.code)

    def _begun(self, call: str) -> Past:
        if self._past is None:
            raise EpisodeError(f"{call} before reset; call reset first")
        return self._past

    def _give_up_at(self) -> float:
        return asyncio.get_running_loop().time() + self._client.deadline_s


def _given_up(error: ServerError, failures: int) -> Exception:
    message = f"{error}; given up after {failures} attempts at one call"
    if error.code == Code.TIMEOUT:
        return EnvTimeout(message)
    return EpisodeLost(message, error.code)


async def _freeze(session: Session, give_up_at: float) -> Frozen | Failed:
    return await session.station.freeze(session.sid, give_up_at)


def _encodable(action: str) -> str:
    """The action with halves of surrogate pairs escaped, since the wire refuses them."""
    return action.encode("utf-8", "backslashreplace").decode("utf-8")

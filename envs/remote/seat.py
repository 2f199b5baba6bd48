"""A seat at a server: one episode after the other, whatever happens to servers and connections.

The seat keeps what it takes to come back to where it stands: the task, the actions, and the keys
of the states they led to. When its session is gone it leases another one, here or elsewhere, has
the episode replayed with the keys compared, and goes on; the caller sees nothing of it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from ..errors import BadOption, EpisodeError, EpisodeLost, ServerError, ServerUnreachable
from ..types import Reply, Task
from ..wire import SESSION_GONE, Code, Recipe, ResetItem, RestoreItem, StepItem, explain, replay_key
from ..wire_answers import Failed, Fault, Played
from .faults import as_error, clean
from .fleet import Fleet
from .link import ClientSpec
from .station import PlayItem, Station

_PAUSE_S = 0.05
_OUT_OF_STEP = frozenset({Code.STEP_INDEX, Code.STEP_CONFLICT, Code.NOT_RESET})
"""The session stands elsewhere than we think: as good as lost."""


@dataclass(slots=True, kw_only=True)
class Session:
    """A session of ours on a server."""

    station: Station
    sid: str
    ep: int = 0
    """Resets applied, as far as we were told."""


@dataclass(slots=True, kw_only=True)
class Past:
    """The episode so far."""

    task: Task
    actions: list[str]
    keys: list[str]
    done: bool


class RemoteSeat:
    """See the module docstring. Used by one episode at a time."""

    def __init__(self, fleet: Fleet, client: ClientSpec) -> None:
        self._fleet = fleet
        self._client = client
        self._session: Session | None = None
        self._past: Past | None = None

    @property
    def place(self) -> tuple[Station, str] | None:
        """Where its session is, when it has one."""
        return (self._session.station, self._session.sid) if self._session else None

    async def settle(self, give_up_at: float) -> None:
        """Have a session. Raises `ServerError` when there is none by then."""
        await self._insist(give_up_at, None)

    async def reset(self, task: Task) -> Reply:
        """Start the task's episode."""
        self._past = None
        seed, options = task.seed, dict(task.options)

        def item(session: Session) -> ResetItem:
            return ResetItem(sid=session.sid, ep=session.ep, seed=seed, options=options)

        reply = await self._ask(item)
        self._past = Past(task=task, actions=[], keys=[replay_key(reply)], done=reply.done)
        return reply

    async def step(self, action: str) -> Reply:
        """Apply one action."""
        past = self._past
        if past is None:
            raise EpisodeError("step before reset; call reset first")
        if past.done:
            raise EpisodeError("the episode is over; call reset first")
        sent, n = _encodable(action), len(past.actions)

        def item(session: Session) -> StepItem:
            return StepItem(sid=session.sid, ep=session.ep, n=n, action=sent)

        reply = await self._ask(item)
        past.actions.append(sent)
        past.keys.append(replay_key(reply))
        past.done = reply.done
        return reply

    async def _ask(self, item: Callable[[Session], PlayItem]) -> Reply:
        give_up_at = asyncio.get_running_loop().time() + self._client.deadline_s
        try:
            played = await self._insist(give_up_at, item)
        except ValidationError as error:
            raise BadOption(explain(error)) from None
        assert played is not None
        return played.reply.to_reply()

    async def _insist(
        self, give_up_at: float, item: Callable[[Session], PlayItem] | None
    ) -> Played | None:
        """Lease, replay and ask until there is an answer; without an item, only lease."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                session = self._session or await self._lease(give_up_at)
                if item is None:
                    return None
                result = await session.station.play(item(session), give_up_at)
                if isinstance(result, Played):
                    session.ep = result.ep
                    return result
                self._consider(result.error, session)
            except ServerError as error:
                if not error.retryable or loop.time() >= give_up_at:
                    raise self._final(error) from None
                if isinstance(error, ServerUnreachable) and not self._fleet.alone:
                    self.leave()
            except asyncio.CancelledError:
                # Whether the server applied the call is unknown: the next one starts afresh.
                self.leave()
                raise
            await asyncio.sleep(min(_PAUSE_S, max(0.0, give_up_at - loop.time())))

    def leave(self) -> None:
        """Give the session up; its server closes it at the next occasion."""
        if self._session is not None:
            self._session.station.drop(self._session.sid)
            self._session = None

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
                await self._replay(self._past, session, give_up_at)
        except BaseException:
            station.drop(sid)
            raise
        self._session = session
        return session

    async def _replay(self, past: Past, session: Session, give_up_at: float) -> None:
        self._fleet.check_replays()
        recipe = Recipe(
            seed=past.task.seed,
            options=dict(past.task.options),
            actions=past.actions,
            keys=[*past.keys],
        )
        item = RestoreItem(sid=session.sid, ep=session.ep, recipe=recipe)
        result = await session.station.play(item, give_up_at)
        if isinstance(result, Failed):
            raise _not_replayed(result.error, session.station.link.url)
        session.ep = result.ep
        self._fleet.rebuilt += 1

    def _consider(self, fault: Fault, session: Session) -> None:
        """Make ready for another try, or raise the error of a fault that stays."""
        if fault.code in SESSION_GONE or fault.code in _OUT_OF_STEP:
            self.leave()
        elif not fault.retryable:
            raise as_error(fault, session.station.link.url)

    def _final(self, error: ServerError) -> ServerError:
        """The error for a call whose time is over."""
        if self._past is None or isinstance(error, ServerUnreachable) or not error.retryable:
            return error
        return EpisodeLost(f"the session was lost and no other was to be had: {error}", error.code)


def _not_replayed(fault: Fault, url: str) -> Exception:
    message = f"{url}: the episode could not be replayed: {clean(fault.message)}"
    if fault.code == Code.REPLAY_DIVERGED:
        return EpisodeLost(message, fault.code)
    if fault.code in SESSION_GONE or fault.retryable:
        return ServerError(message, clean(fault.code), retryable=True)
    return EpisodeLost(message, clean(fault.code))


def _encodable(action: str) -> str:
    """The action with halves of surrogate pairs escaped, since the wire refuses them."""
    return action.encode("utf-8", "backslashreplace").decode("utf-8")

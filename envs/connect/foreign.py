"""Seats at servers that are not ours, which do not know a lost answer from one that was given.

A seat keeps the task, the actions, and the keys of the replies they led to. When its session is
lost it takes another one, here or at another server. One that still stands where we do is played
on. Else the episode is played again from its seed, every reply compared with the first time: that
is worth trying only where equal seeds begin equally, which each server must show once. What cannot
be made good is `EpisodeLost`, never a silent restart.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ... import GigymError
from ..errors import (
    BadOption,
    EnvCodeError,
    EpisodeError,
    EpisodeLost,
    ServerError,
    ServerUnreachable,
)
from ..pool import Seat, SeatPool
from ..remote import ClientSpec
from ..types import Options, Reply, Task
from ..wire import replay_key


class Lost(Exception):
    """The session is gone, or what it did is not known; the text says how that was seen."""


class Full(Exception):
    """The server has no place at present; the text is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """An episode to start."""

    task: Task
    episode_id: str
    """A name of ours for it, which no other episode has."""


class Session(Protocol):
    """One environment at a server. Every call may raise `Lost`."""

    async def begin(self, what: Begin, give_up_at: float) -> Reply:
        """Start an episode."""
        ...

    async def act(self, action: str, give_up_at: float) -> Reply:
        """Apply an action."""
        ...

    async def stands_at(self, episode_id: str, turns: int, give_up_at: float) -> bool:
        """Whether it plays this episode and has taken so many turns, as far as it tells."""
        ...

    def abandon(self) -> None:
        """Be done with it at once."""
        ...

    async def aclose(self) -> None:
        """Give it back."""
        ...


class Server(Protocol):
    """Where sessions are had."""

    url: str

    async def open(self, give_up_at: float) -> Session:
        """A fresh session. Raises `Full`, `ServerUnreachable`, `ServerError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Place:
    """A server as a pool sees it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.held = 0
        self.avoid_until = 0.0
        """Loop time until which it is thought to be down or full."""
        self.honours_seeds: bool | None = None
        """Equal seeds begin equally; None: not tried yet."""


class ForeignPool(SeatPool):
    """Seats over one or several servers. `max_steps` truncates episodes on our side."""

    def __init__(self, servers: Sequence[Server], options: Options, client: ClientSpec) -> None:
        self.client = client
        self.max_steps = _limit(options)
        self.options = {name: value for name, value in options.items() if name != "max_steps"}
        self.rebuilt = 0
        """Episodes that lost their session and were taken up again by replay."""
        self._places = [Place(server) for server in servers]
        self._seats: list[ForeignSeat] = []
        self._random = random.Random()
        self._closed = False

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Exactly `count` seats, each with a session."""
        if self._closed:
            raise ServerError("the pool is closed", "CLOSED")
        give_up_at = asyncio.get_running_loop().time() + self.client.create_s
        while len(self._seats) < count:
            self._seats.append(ForeignSeat(self))
        settled = await asyncio.gather(
            *(seat.settle(give_up_at) for seat in self._seats[:count]), return_exceptions=True
        )
        for result in settled:
            if result is not None:
                raise result
        return tuple(self._seats[:count])

    async def aclose(self) -> None:
        """Close the sessions and the connections; calling twice is fine."""
        if self._closed:
            return
        self._closed = True
        await asyncio.gather(*(seat.aclose() for seat in self._seats), return_exceptions=True)
        await asyncio.gather(
            *(place.server.aclose() for place in self._places), return_exceptions=True
        )

    async def take(self, give_up_at: float) -> tuple[Place, Session]:
        """A session at the server that holds least of ours, among those that answer.

        Raises the last server's error when there is none by then.
        """
        if self._closed:
            raise ServerError("the pool is closed", "CLOSED")
        loop, pause = asyncio.get_running_loop(), self.client.backoff_s
        full: ServerError | None = None
        while True:
            now = loop.time()
            place = min(self._places, key=lambda place: (place.avoid_until > now, place.held))
            try:
                return place, await self._open(place, self._share(give_up_at))
            except Full as error:
                told = f"{place.server.url} has no free session: {error}"
                failure = full = ServerError(told, "CAPACITY_REACHED", retryable=True)
            except ServerUnreachable as error:
                # The time may have run out at the last knock; what was said before is the cause.
                failure = full or error
            place.avoid_until = loop.time() + self.client.failover_s
            wait = pause * self._random.uniform(0.5, 1.0)
            if loop.time() + wait >= give_up_at:
                raise failure
            await asyncio.sleep(wait)
            pause = min(2 * pause, self.client.backoff_max_s)

    async def _open(self, place: Place, give_up_at: float) -> Session:
        place.held += 1
        try:
            return await place.server.open(give_up_at)
        except BaseException:
            place.held -= 1
            raise

    def _share(self, give_up_at: float) -> float:
        """How long to knock at one server: not for ever while there are others."""
        if len(self._places) == 1:
            return give_up_at
        return min(give_up_at, asyncio.get_running_loop().time() + self.client.failover_s)


@dataclass(slots=True, kw_only=True)
class Past:
    """The episode so far."""

    begin: Begin
    actions: list[str]
    keys: list[str]
    done: bool


class ForeignSeat:
    """See the module docstring. Used by one episode at a time."""

    def __init__(self, pool: ForeignPool) -> None:
        self._pool = pool
        self._place: Place | None = None
        self._session: Session | None = None
        self._past: Past | None = None

    async def settle(self, give_up_at: float) -> None:
        """Have a session."""
        if self._session is None:
            self._place, self._session = await self._pool.take(give_up_at)

    async def reset(self, task: Task) -> Reply:
        """Start the task's episode."""
        self._past = None
        options = {**self._pool.options, **task.options}
        begin = Begin(task=replace(task, options=options), episode_id=secrets.token_hex(16))
        give_up_at = self._give_up_at()
        reply = await self._insist(lambda s: s.begin(begin, give_up_at), give_up_at)
        self._past = Past(begin=begin, actions=[], keys=[replay_key(reply)], done=reply.done)
        return reply

    async def step(self, action: str) -> Reply:
        """Apply one action."""
        past = self._past
        if past is None:
            raise EpisodeError("step before reset; call reset first")
        if past.done:
            raise EpisodeError("the episode is over; call reset first")
        sent = action.encode("utf-8", "backslashreplace").decode("utf-8")
        give_up_at = self._give_up_at()
        reply = await self._insist(lambda s: s.act(sent, give_up_at), give_up_at)
        past.actions.append(sent)
        past.keys.append(replay_key(reply))
        limit = self._pool.max_steps
        if limit is not None and len(past.actions) >= limit and not reply.terminated:
            reply = replace(reply, truncated=True)
        past.done = reply.done
        return reply

    async def aclose(self) -> None:
        """Give the session back."""
        session, self._session, self._past = self._session, None, None
        if session is not None:
            self._leave()
            await session.aclose()

    def _give_up_at(self) -> float:
        return asyncio.get_running_loop().time() + self._pool.client.deadline_s

    async def _insist(
        self, call: Callable[[Session], Awaitable[Reply]], give_up_at: float
    ) -> Reply:
        """Have a session that stands where we do, and ask it, until it answers."""
        why, retries = "", self._pool.client.retries
        for _ in range(retries + 1):
            try:
                session = self._session or await self._resumed(give_up_at)
                return await call(session)
            except Lost as error:
                why = str(error)
                self._abandon()
            except ServerUnreachable as error:
                self._abandon()
                if self._past is None:
                    raise
                raise EpisodeLost(
                    f"no session was to be had any more: {error}", error.code
                ) from None
            except (BadOption, EnvCodeError):
                raise
            except BaseException:
                # Whether the call was applied is not known: the next one must not build on it.
                self._abandon()
                raise
        if self._past is None:
            raise ServerUnreachable(
                f"{why}; {retries} further attempts as well", "UNREACHABLE", True
            )
        raise EpisodeLost(f"{why}; {retries} attempts to take the episode up again failed", "LOST")

    async def _resumed(self, give_up_at: float) -> Session:
        """A session that stands where the episode stands."""
        place, session = await self._pool.take(give_up_at)
        self._place, self._session = place, session
        past = self._past
        if past is None:
            return session
        turns = len(past.actions)
        if turns and await session.stands_at(past.begin.episode_id, turns, give_up_at):
            return session
        await self._replay(past, place, give_up_at)
        return session

    async def _replay(self, past: Past, place: Place, give_up_at: float) -> None:
        assert self._session is not None
        session, url = self._session, place.server.url
        try:
            if not await _honours_seeds(place, session, past.begin, give_up_at):
                raise EpisodeLost(
                    f"{url} lost the session after {len(past.actions)} turns, and does not begin "
                    "equally for equal seeds: its episodes cannot be replayed",
                    "LOST",
                )
            reply = await session.begin(past.begin, give_up_at)
            for turn, action in enumerate([*past.actions, None]):
                if replay_key(reply) != past.keys[turn] or (reply.done and action is not None):
                    raise EpisodeLost(
                        f"{url}: the replay left the recorded path at reply {turn}: expected "
                        f"{past.keys[turn]}, got {replay_key(reply)}",
                        "REPLAY_DIVERGED",
                    )
                if action is not None:
                    reply = await session.act(action, give_up_at)
        except ServerUnreachable:
            raise
        except EpisodeLost:
            raise
        except GigymError as error:
            raise EpisodeLost(
                f"{url}: the episode could not be replayed: {error}", "LOST"
            ) from None
        self._pool.rebuilt += 1

    def _abandon(self) -> None:
        if self._session is not None:
            self._session.abandon()
            self._session = None
            self._leave()

    def _leave(self) -> None:
        if self._place is not None:
            self._place.held -= 1
            self._place = None


async def _honours_seeds(place: Place, session: Session, begin: Begin, give_up_at: float) -> bool:
    """Whether two resets with one seed begin equally at this server."""
    if place.honours_seeds is None:
        first = await session.begin(begin, give_up_at)
        again = await session.begin(begin, give_up_at)
        place.honours_seeds = replay_key(first) == replay_key(again)
    return place.honours_seeds


def _limit(options: Options) -> int | None:
    limit = options.get("max_steps")
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise BadOption(f"max_steps must be a whole number of at least 1, got {limit!r:.80}")
    return limit

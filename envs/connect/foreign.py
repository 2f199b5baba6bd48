"""Servers that are not ours: what a client for one provides, and which one has the next session.

They do not know a lost answer from one that was given, so that what is lost is made good here; see
foreign_seat.py.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import BadOption, ServerError, ServerUnreachable
from ..remote import ClientSpec
from ..types import Options, Reply, Task


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


class Yard:
    """The servers of a pool, and what all its seats share."""

    def __init__(self, servers: Sequence[Server], options: Options, client: ClientSpec) -> None:
        self.client = client
        self.max_steps = _limit(options)
        """Turn limit that is kept on our side."""
        self.options = {name: value for name, value in options.items() if name != "max_steps"}
        """Reset options of every episode."""
        self.rebuilt = 0
        """Episodes that lost their session and were taken up again by replay."""
        self.closed = False
        self._places = [Place(server) for server in servers]
        self._random = random.Random()

    async def aclose(self) -> None:
        """Close the connections."""
        self.closed = True
        await asyncio.gather(
            *(place.server.aclose() for place in self._places), return_exceptions=True
        )

    async def take(self, give_up_at: float) -> tuple[Place, Session]:
        """A session at the server that holds least of ours, among those that answer.

        Raises the last server's error when there is none by then.
        """
        if self.closed:
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


def _limit(options: Options) -> int | None:
    limit = options.get("max_steps")
    if limit is None:
        return None
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise BadOption(f"max_steps must be a whole number of at least 1, got {limit!r:.80}")
    return limit

"""Seats at servers that are not ours.

A seat keeps the task, the actions, and the keys of the replies they led to. When its session is
lost it takes another one, here or at another server. One that still stands where we do is played
on. Else the episode is played again from its seed, every reply compared with the first time: that
is worth trying only where equal seeds begin equally, which each server must show once. What cannot
be made good is `EpisodeLost`, never a silent restart.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from ... import GigymError
from ..errors import BadOption, EnvCodeError, EpisodeError, EpisodeLost, ServerUnreachable
from ..types import Reply, Task
from ..wire import replay_key
from .foreign import Begin, Lost, Place, Session, Yard


@dataclass(slots=True, kw_only=True)
class Past:
    """The episode so far."""

    begin: Begin
    actions: list[str]
    keys: list[str]
    done: bool


class ForeignSeat:
    """See the module docstring. Used by one episode at a time."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._place: Place | None = None
        self._session: Session | None = None
        self._past: Past | None = None

    async def settle(self, give_up_at: float) -> None:
        """Have a session."""
        if self._session is None:
            self._place, self._session = await self._yard.take(give_up_at)

    async def reset(self, task: Task) -> Reply:
        """Start the task's episode."""
        self._past = None
        options = {**self._yard.options, **task.options}
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
        limit = self._yard.max_steps
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
        return asyncio.get_running_loop().time() + self._yard.client.deadline_s

    async def _insist(
        self, call: Callable[[Session], Awaitable[Reply]], give_up_at: float
    ) -> Reply:
        """Have a session that stands where we do, and ask it, until it answers."""
        why, retries = "", self._yard.client.retries
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
        place, session = await self._yard.take(give_up_at)
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
        self._yard.rebuilt += 1

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

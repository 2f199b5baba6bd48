"""A session whose environment lives in a worker process, as the server sees it.

It sends items on and keeps a record of what was applied: how the episode was opened, the actions
since, and the keys of the answers. With that, the session can be played again in another process.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic_core import PydanticSerializationError

from ...envs.wire import Code, JsonObject, ResetItem, RestoreItem, SidItem, StepItem
from ..errors import WireFault
from ..spec import Limits
from .frames import Build, Fork, Head, Verb, fault_text, read_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to build an environment."""

    env: str
    options: JsonObject
    deterministic: bool
    """Whether its episodes can be played again."""


@dataclass(slots=True, kw_only=True)
class Call:
    """Something that a worker was asked, until it has answered."""

    verb: Verb
    body: bytes
    seconds: float
    """How long the worker may be at it."""
    seat: "Seat | None" = None
    item: SidItem | None = None
    twins: "Sequence[Seat]" = ()
    """Copies that a fork makes."""
    answer: "asyncio.Future[bytes] | None" = None
    """Of those who wait; None for a call that the server makes for itself."""

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for the answer."""
        return self.answer is not None and not self.answer.done()

    def succeed(self, body: bytes) -> None:
        """Give the answer to who waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(body)

    def fail(self, fault: WireFault) -> None:
        """Give the refusal to who waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(WireFault(*fault.args))


class Post(Protocol):
    """Where a seat's calls go."""

    def post(self, call: Call) -> None:
        """Have it answered."""
        ...

    def leave(self, seat: "Seat") -> None:
        """A seat is no longer needed."""
        ...

    def join(self, seats: "Sequence[Seat]") -> None:
        """Seats that came to be in the process itself."""
        ...


@dataclass(slots=True, kw_only=True)
class Trail:
    """What was applied to a session, as its worker's answers told."""

    ep: int = 0
    n: int = 0
    """Steps applied, those of the opening included."""
    opened_by: ResetItem | RestoreItem | None = None
    """None while there is no episode."""
    actions: list[str] = field(default_factory=list[str])
    keys: list[str] = field(default_factory=list[str])
    fault: WireFault | None = None
    """What the environment raised last; it ended the episode."""
    seconds: float = 0.0
    """What the episode took so far."""

    def copy(self) -> "Trail":
        """One with a future of its own."""
        return Trail(
            ep=self.ep,
            n=self.n,
            opened_by=self.opened_by,
            actions=list(self.actions),
            keys=list(self.keys),
            fault=self.fault,
            seconds=self.seconds,
        )


class Seat:
    """See the module docstring; a counterpart of `sessions.Session`."""

    def __init__(self, sid: str, plan: Plan, post: Post, limits: Limits) -> None:
        self.sid = sid
        self.env = plan.env
        self.plan = plan
        self.trail = Trail()
        self.there = False
        """Whether the present process has it, or was told to build it."""
        self.strikes = 0
        """How often in a row a process died while it was at work for this session."""
        self.ended = False
        self._post = post
        self._limits = limits

    def build(self, answer: "asyncio.Future[bytes]") -> None:
        """Have the environment built for the first time."""
        body = Build(sid=self.sid, env=self.env, options=self.plan.options).model_dump_json()
        self._post.post(
            Call(
                verb="build",
                body=body.encode(),
                seconds=self._limits.reset_s,
                seat=self,
                answer=answer,
            )
        )

    def reset(self, item: ResetItem) -> "asyncio.Future[bytes]":
        """Start an episode."""
        return self._ask("reset", item, self._limits.reset_s)

    def restore(self, item: RestoreItem) -> "asyncio.Future[bytes]":
        """Start in the middle of an episode."""
        return self._ask("restore", item, self._limits.reset_s)

    def step(self, item: StepItem, action_bytes: int) -> "asyncio.Future[bytes]":
        """Take one action; its length is checked where the position is."""
        return self._ask("step", item, self._limits.step_s)

    def snapshot(self) -> "asyncio.Future[bytes]":
        """The episode under way, to be restored elsewhere."""
        return self._ask("snapshot", SidItem(sid=self.sid), self._limits.step_s)

    def view(self) -> "asyncio.Future[bytes]":
        """Position and last reply."""
        return self._ask("view", SidItem(sid=self.sid), self._limits.step_s)

    async def fork(self, sids: list[str]) -> "Sequence[Seat]":
        """Sessions of these names, in the same process, that stand where this one stands."""
        item = Fork(sid=self.sid, sids=sids)
        twins = [Seat(sid, self.plan, self._post, self._limits) for sid in sids]
        try:
            await self._ask("fork", item, self._limits.reset_s, twins)
        except BaseException:
            for twin in twins:
                twin.end()
            raise
        return twins

    def end(self) -> None:
        """Free what the environment holds."""
        self.ended = True
        self._post.leave(self)
        body = SidItem(sid=self.sid).model_dump_json().encode()
        self._post.post(Call(verb="end", body=body, seconds=self._limits.step_s))

    def revival(self) -> Call:
        """The call that builds it anew and plays its past.

        Raises `WireFault` where the past cannot be played again.
        """
        trail = self.trail
        if trail.opened_by is not None and not self.plan.deterministic:
            message = f"{self.env} is not deterministic: its episode died with its process"
            raise WireFault(Code.WORKER_LOST, message)
        body = Build(
            sid=self.sid,
            env=self.env,
            options=self.plan.options,
            ep=trail.ep,
            opened_by=trail.opened_by,
            actions=trail.actions,
            keys=trail.keys,
            fault=trail.fault and fault_text(trail.fault),
        ).model_dump_json()
        # Twice what it took at first, since the machine may be busier with so many at once.
        seconds = self._limits.reset_s + 2 * trail.seconds
        return Call(verb="build", body=body.encode(), seconds=seconds, seat=self)

    def follow(self, call: Call, head: Head, body: bytes, seconds: float) -> None:
        """Take note of what an answer says about the session."""
        at, trail = head.standing, self.trail
        if at is None:
            return
        if at.n is None or at.key is None:
            self.trail = Trail(ep=at.ep)
        elif isinstance(call.item, ResetItem | RestoreItem) and at.ep > trail.ep:
            self.trail = Trail(
                ep=at.ep, n=at.n, opened_by=call.item, keys=[at.key], seconds=seconds
            )
        elif isinstance(call.item, StepItem) and at.n > trail.n:
            trail.actions.append(call.item.action)
            trail.keys.append(at.key)
            trail.n = at.n
            trail.seconds += seconds
        elif at.faulted and trail.fault is None:
            trail.fault = read_fault(body)
        elif call.twins and head.ok:
            self._multiply(call.twins)

    def _multiply(self, twins: "Sequence[Seat]") -> None:
        alive = [twin for twin in twins if not twin.ended]
        for twin in alive:
            twin.trail, twin.there = self.trail.copy(), True
        self._post.join(alive)

    def _ask(
        self, verb: Verb, item: SidItem, seconds: float, twins: "Sequence[Seat]" = ()
    ) -> "asyncio.Future[bytes]":
        try:
            body = item.model_dump_json().encode()
        except PydanticSerializationError as error:
            raise WireFault(Code.BAD_ITEM, f"the item is no JSON in UTF-8: {error}") from None
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._post.post(
            Call(
                verb=verb,
                body=body,
                seconds=seconds,
                seat=self,
                item=item,
                twins=twins,
                answer=answer,
            )
        )
        return answer

"""All sessions of a server: kept while their lease lasts, swept afterwards.

Every call on a session renews its lease. A session whose lease ended is remembered for a while, so
that its client learns what happened; one that was closed is simply unknown. The clock is injected;
queueing for a free place is the affair of `admission.py`. A session plays in this process or in a
worker's; results of the latter are awaited (`batch.Result`).
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..envs.types import JsonValue
from ..envs.wire import Code, ForkItem, RenewItem, ResetItem, RestoreItem, SidItem, StepItem
from .batch import Result
from .errors import WireFault
from .replies import encode
from .spec import Limits
from .watch import End, Watch

_MAX_REMEMBERED = 65_536


class Seat(Protocol):
    """A session, wherever its environment is."""

    sid: str
    env: str

    def reset(self, item: ResetItem) -> Result:
        """Start an episode."""
        ...

    def restore(self, item: RestoreItem) -> Result:
        """Start in the middle of an episode."""
        ...

    def step(self, item: StepItem, action_bytes: int) -> Result:
        """Take one action."""
        ...

    def snapshot(self) -> Result:
        """The episode under way, to be restored elsewhere."""
        ...

    def fork(self, sids: list[str]) -> "Sequence[Seat] | Awaitable[Sequence[Seat]]":
        """Sessions of these names that stand where this one stands."""
        ...

    def view(self) -> Result:
        """Position and last reply."""
        ...

    def end(self) -> None:
        """Free what the environment holds."""
        ...


@dataclass(slots=True, kw_only=True)
class Lease:
    """A session and how long it is kept."""

    session: Seat
    length_s: float
    ends: float
    """On the store's clock."""


class Store:
    """See the module docstring. `on_free` is called whenever sessions ended."""

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        watch: Watch | None = None,
    ) -> None:
        self.limits = limits
        self.reserved = 0
        """Places promised to sessions that are being built."""
        self.on_free: Callable[[], None] = lambda: None
        self._watch = watch or Watch()
        self._clock = clock
        self._epoch = time.time() - clock()
        self._leases: dict[str, Lease] = {}
        self._gone: dict[str, tuple[float, End]] = {}
        """When and how sessions ended of which it is remembered."""

    def __len__(self) -> int:
        return len(self._leases)

    def __contains__(self, sid: str) -> bool:
        return sid in self._leases

    @property
    def free(self) -> int:
        """Places for further sessions."""
        return self.limits.sessions - len(self._leases) - self.reserved

    def add(self, session: Seat, lease_s: float | None) -> dict[str, JsonValue]:
        """Lease a session out."""
        length = min(lease_s or self.limits.lease_s, self.limits.lease_s_max)
        return self._lease(session, length)

    def reset(self, item: ResetItem) -> Result:
        """Start an episode in a session."""
        return self._find(item.sid).session.reset(item)

    def step(self, item: StepItem) -> Result:
        """Take one action in a session."""
        return self._find(item.sid).session.step(item, self.limits.action_bytes)

    def restore(self, item: RestoreItem) -> Result:
        """Bring a session to a state."""
        return self._find(item.sid).session.restore(item)

    def snapshot(self, item: SidItem) -> Result:
        """Freeze a session's episode."""
        return self._find(item.sid).session.snapshot()

    def fork(self, item: ForkItem) -> Result:
        """Copy a session. Raises `WireFault` (`BUSY`) when there is no place for all copies."""
        lease = self._find(item.sid)
        if item.count > self.free:
            message = f"{item.count} copies asked for, {self.free} sessions free"
            raise WireFault(Code.BUSY, message, {"retry_after_ms": 1500})
        twins = lease.session.fork([new_sid() for _ in range(item.count)])
        if isinstance(twins, Sequence):
            return self._forked(lease, twins)
        self.reserved += item.count
        return self._fork_later(lease, twins, item.count)

    def renew(self, item: RenewItem) -> bytes:
        """Keep a session for longer."""
        lease = self._find(item.sid)
        if item.lease_s is not None:
            lease.length_s = min(item.lease_s, self.limits.lease_s_max)
            lease.ends = self._clock() + lease.length_s
        return encode({"sid": item.sid, "lease_until": self._epoch + lease.ends})

    def close(self, item: SidItem) -> bytes:
        """End a session; one that is not there counts as closed."""
        if item.sid in self._leases:
            self._end(item.sid, "closed")
            self.on_free()
        return encode({"sid": item.sid, "closed": True})

    def lose(self, sid: str) -> None:
        """A session's environment is gone with its process."""
        if sid in self._leases:
            self._end(sid, "lost")
            self.on_free()

    def view(self, sid: str) -> Result:
        """Position, lease and last reply of a session."""
        lease = self._find(sid)
        until = b"%r" % (self._epoch + lease.ends)
        seen = lease.session.view()
        return _leased(seen, until) if isinstance(seen, bytes) else _leased_later(seen, until)

    def sweep(self) -> int:
        """End the sessions whose lease is over; how many there were."""
        now = self._clock()
        over = [sid for sid, lease in self._leases.items() if lease.ends <= now]
        for sid in over:
            self._end(sid, "expired")
        while self._gone:
            oldest = next(iter(self._gone))
            fresh = self._gone[oldest][0] + self.limits.memory_s > now
            if fresh and len(self._gone) <= _MAX_REMEMBERED:
                break
            del self._gone[oldest]
        if over:
            self.on_free()
        return len(over)

    def _find(self, sid: str) -> Lease:
        now = self._clock()
        lease = self._leases.get(sid)
        if lease is not None and lease.ends <= now:
            self._end(sid, "expired")
            self.on_free()
            lease = None
        if lease is None:
            raise self._missing(sid)
        lease.ends = now + lease.length_s
        return lease

    def _lease(self, session: Seat, length_s: float) -> dict[str, JsonValue]:
        ends = self._clock() + length_s
        self._leases[session.sid] = Lease(session=session, length_s=length_s, ends=ends)
        self._watch.created(session.sid, session.env)
        return {"sid": session.sid, "lease_until": self._epoch + ends}

    def _forked(self, lease: Lease, twins: Sequence[Seat]) -> bytes:
        children = [self._lease(twin, lease.length_s) for twin in twins]
        return encode({"sid": lease.session.sid, "children": [*children]})

    async def _fork_later(
        self, lease: Lease, twins: Awaitable[Sequence[Seat]], reserved: int
    ) -> bytes:
        try:
            made = await twins
        finally:
            self.reserved -= reserved
            self.on_free()
        return self._forked(lease, made)

    def _end(self, sid: str, how: End) -> None:
        session = self._leases.pop(sid).session
        session.end()
        if how != "closed":
            self._gone[sid] = self._clock(), how
        self._watch.ended(sid, session.env, how)

    def _missing(self, sid: str) -> WireFault:
        _, how = self._gone.get(sid, (0.0, "closed"))
        if how == "expired":
            message = "the session was not used within its lease; lease another and replay"
            return WireFault(Code.SESSION_EXPIRED, message)
        if how == "lost":
            message = "the session went down with its worker process; lease another and replay"
            return WireFault(Code.WORKER_LOST, message)
        message = "no such session; it was closed, or the server was restarted"
        return WireFault(Code.SESSION_UNKNOWN, message)


def new_sid() -> str:
    """A name for a session that nobody guesses."""
    return "s-" + secrets.token_hex(16)


def _leased(seen: bytes, until: bytes) -> bytes:
    return b'%s,"lease_until":%s}' % (seen[:-1], until)


async def _leased_later(seen: Awaitable[bytes], until: bytes) -> bytes:
    return _leased(await seen, until)

"""All sessions of a server: kept while their lease lasts, swept afterwards.

Every call on a session renews its lease. A session whose lease ended is remembered for a while, so
that its client learns what happened; one that was closed is simply unknown. The clock is injected
and nothing here waits: queueing for a free place is the affair of `admission.py`.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..envs.types import JsonValue
from ..envs.wire import Code, ForkItem, RenewItem, ResetItem, RestoreItem, SidItem, StepItem
from .errors import WireFault
from .playing import Player
from .replies import encode
from .sessions import Session
from .spec import Limits

_MAX_REMEMBERED = 65_536


@dataclass(slots=True, kw_only=True)
class Lease:
    """A session and how long it is kept."""

    session: Session
    length_s: float
    ends: float
    """On the store's clock."""


class Store:
    """See the module docstring. `on_free` is called whenever sessions ended."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.reserved = 0
        """Places promised to sessions that are being built."""
        self.on_free: Callable[[], None] = lambda: None
        self._clock = clock
        self._epoch = time.time() - clock()
        self._leases: dict[str, Lease] = {}
        self._expired: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def __contains__(self, sid: str) -> bool:
        return sid in self._leases

    @property
    def free(self) -> int:
        """Places for further sessions."""
        return self.limits.sessions - len(self._leases) - self.reserved

    def add(self, player: Player, lease_s: float | None) -> dict[str, JsonValue]:
        """Lease a player out as a session."""
        length = min(lease_s or self.limits.lease_s, self.limits.lease_s_max)
        return self._lease(Session(_new_sid(), player), length)

    def reset(self, item: ResetItem) -> bytes:
        """Start an episode in a session."""
        return self._find(item.sid).session.reset(item)

    def step(self, item: StepItem) -> bytes:
        """Take one action in a session."""
        return self._find(item.sid).session.step(item, self.limits.action_bytes)

    def restore(self, item: RestoreItem) -> bytes:
        """Bring a session to a state."""
        return self._find(item.sid).session.restore(item)

    def snapshot(self, item: SidItem) -> bytes:
        """Freeze a session's episode."""
        return self._find(item.sid).session.snapshot()

    def fork(self, item: ForkItem) -> bytes:
        """Copy a session. Raises `WireFault` (`BUSY`) when there is no place for all copies."""
        lease = self._find(item.sid)
        if item.count > self.free:
            message = f"{item.count} copies asked for, {self.free} sessions free"
            raise WireFault(Code.BUSY, message, {"retry_after_ms": 1500})
        twins = lease.session.fork([_new_sid() for _ in range(item.count)])
        children = [self._lease(twin, lease.length_s) for twin in twins]
        return encode({"sid": item.sid, "children": [*children]})

    def renew(self, item: RenewItem) -> bytes:
        """Keep a session for longer."""
        lease = self._find(item.sid)
        if item.lease_s is not None:
            lease.length_s = min(item.lease_s, self.limits.lease_s_max)
            lease.ends = self._clock() + lease.length_s
        return encode({"sid": item.sid, "lease_until": self._epoch + lease.ends})

    def close(self, item: SidItem) -> bytes:
        """End a session; one that is not there counts as closed."""
        if self._leases.pop(item.sid, None) is not None:
            self.on_free()
        return encode({"sid": item.sid, "closed": True})

    def view(self, sid: str) -> bytes:
        """Position, lease and last reply of a session."""
        lease = self._find(sid)
        n, state_key, body = lease.session.position()
        head = encode(
            {
                "sid": sid,
                "env": lease.session.player.card.id,
                "ep": lease.session.ep,
                "n": n,
                "state_key": state_key,
                "lease_until": self._epoch + lease.ends,
            }
        )
        return head[:-1] + b',"last":' + body + b"}"

    def sweep(self) -> int:
        """End the sessions whose lease is over; how many there were."""
        now = self._clock()
        over = [sid for sid, lease in self._leases.items() if lease.ends <= now]
        for sid in over:
            self._expire(sid, now)
        while self._expired:
            oldest = next(iter(self._expired))
            fresh = self._expired[oldest] + self.limits.memory_s > now
            if fresh and len(self._expired) <= _MAX_REMEMBERED:
                break
            del self._expired[oldest]
        if over:
            self.on_free()
        return len(over)

    def _find(self, sid: str) -> Lease:
        now = self._clock()
        lease = self._leases.get(sid)
        if lease is not None and lease.ends <= now:
            self._expire(sid, now)
            self.on_free()
            lease = None
        if lease is None:
            raise self._missing(sid)
        lease.ends = now + lease.length_s
        return lease

    def _lease(self, session: Session, length_s: float) -> dict[str, JsonValue]:
        ends = self._clock() + length_s
        self._leases[session.sid] = Lease(session=session, length_s=length_s, ends=ends)
        return {"sid": session.sid, "lease_until": self._epoch + ends}

    def _expire(self, sid: str, now: float) -> None:
        del self._leases[sid]
        self._expired[sid] = now

    def _missing(self, sid: str) -> WireFault:
        if sid in self._expired:
            message = "the session was not used within its lease; lease another and replay"
            return WireFault(Code.SESSION_EXPIRED, message)
        message = "no such session; it was closed, or the server was restarted"
        return WireFault(Code.SESSION_UNKNOWN, message)


def _new_sid() -> str:
    return "s-" + secrets.token_hex(16)

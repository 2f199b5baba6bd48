"""A running server without its HTTP: offers, sessions, queue, and whether it is closing."""

import asyncio
import functools
import json
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence

from .. import __version__
from ..envs import BadOption, TextEnv, card
from ..envs.registry import entry_point_of, isolated
from ..envs.types import JsonValue
from ..envs.wire import MINOR, PROTOCOL, Code, ForkItem, ForkRequest, SessionsRequest
from ..envs.wire_answers import Info, LimitsInfo
from .admission import Admission, Once, stopping
from .batch import Pause, as_document, run_items, settled
from .errors import WireFault
from .events import Events
from .logs import Logged
from .metrics import Metrics, Standing
from .offers import Offers
from .playing import Player, built, run_env
from .replies import encode
from .sessions import Session
from .spec import HostedEnv, ServerSpec
from .store import Seat, Store, new_sid
from .watch import Watch, Watches
from .workers.frames import Setup
from .workers.pool import Pool
from .workers.seat import Plan
from .workers.worker import Duty

_SWEEP_S = 1.0
_MOST_WORKERS = 4


class Host:
    """What the routes call. Raises what `Offers` raises for environments it cannot build."""

    def __init__(self, spec: ServerSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self.spec = spec
        self.boot = "b-" + secrets.token_hex(6)
        self.draining = False
        self.ends: float | None = None
        """When a draining server stops, by `time.monotonic`."""
        self.offers = Offers(spec.envs)
        self.metrics = Metrics([env.id for env in spec.envs], self._standing)
        self.events = Events(spec.limits.events)
        self.log = Logged()
        self.watch: Watch = Watches(self.metrics, self.events, self.log)
        """Told of all that happens."""
        self.store = Store(spec.limits, clock, self.watch)
        self.admission = Admission(self.store)
        self.pool = self._pool()
        self._staffed = False
        """There are workers from the beginning."""
        self._once = Once(spec.limits.memory_s, clock)

    def open(self) -> None:
        """Start the workers that are needed from the beginning; needs a running loop."""
        self._staffed = any(self._in_worker(env) for env in self.spec.envs)
        if self._staffed:
            self.pool.open()

    async def close(self) -> None:
        """End all workers."""
        await self.pool.close()

    def info(self) -> Info:
        """What this server is and offers."""
        limits = self.spec.limits
        return Info(
            protocol=PROTOCOL,
            minor=MINOR,
            server=f"gigym {__version__}",
            boot=self.boot,
            auth="bearer" if self.spec.token else "none",
            envs=self.offers.infos,
            limits=LimitsInfo(
                items=limits.items,
                body_bytes=limits.body_bytes,
                action_bytes=limits.action_bytes,
                observation_bytes=limits.observation_bytes,
                sessions=limits.sessions,
                lease_s_max=limits.lease_s_max,
            ),
            free=max(0, self.store.free),
            status=self.readiness(),
        )

    def readiness(self) -> str:
        """`ready`, or why no sessions are to be had: `draining`, `failing`, `starting`, `full`."""
        if self.draining:
            return "draining"
        if self.pool.ailing:
            return "failing"
        if self._staffed and self.pool.starting:
            return "starting"
        return "ready" if self.store.free > 0 else "full"

    def draining_s(self) -> float | None:
        """Seconds that a draining server goes on; None where it is not told to stop."""
        if not self.draining:
            return None
        return max(0.0, (self.ends or 0.0) - time.monotonic())

    async def create(self, request: SessionsRequest, key: str | None) -> bytes:
        """Lease sessions. Raises `WireFault` when the request cannot be met."""
        return await self._once.answer(key, request, lambda: self._create(request))

    async def lease(self, request: SessionsRequest) -> list[str]:
        """As `create`, for the other faces of this server: the sids of fresh sessions."""
        answer = json.loads(await self.create(request, None))
        return [leased["sid"] for leased in answer["sessions"]]

    async def fork(self, request: ForkRequest, key: str | None) -> bytes:
        """Copy sessions; all items under one idempotency key.

        Each item is remembered for itself: one that found no room may be tried again without
        copying its neighbours twice.
        """
        if key is None:
            return await as_document(run_items(request.items, self.store.fork, self.watch))
        self._once.claim(key, request)

        def once(item: ForkItem) -> Awaitable[bytes]:
            return self._once.answer(f"{key}\n{item.sid}", item, lambda: self._fork(item))

        return await as_document(run_items(request.items, once, self.watch))

    async def sweep_forever(self) -> None:
        """End sessions as their leases end."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            self.store.sweep()

    async def _fork(self, item: ForkItem) -> bytes:
        return await settled(self.store.fork(item))

    def _standing(self) -> Standing:
        return Standing(
            queue_depth=len(self.admission), draining=self.draining, workers=self.pool.pids
        )

    async def _create(self, request: SessionsRequest) -> bytes:
        if self.draining:
            raise stopping()
        env = self.offers.chosen(request.env, request.options)
        async with self.admission.places(request.count, request.wait_s) as places:
            if self.draining:
                raise stopping()
            leases: list[JsonValue] = []
            for session in await self._sessions(env, request.count):
                leases.append(self.store.add(session, request.lease_s))
                places.take()
        return encode({"sessions": leases})

    async def _sessions(self, env: HostedEnv, count: int) -> Sequence[Seat]:
        try:
            if self._in_worker(env):
                return await self.pool.seat(_plan(env), [new_sid() for _ in range(count)])
            return await self._inline(functools.partial(built, env), count)
        except WireFault as fault:
            code = Code.BAD_REQUEST if fault.code is Code.BAD_ITEM else fault.code
            raise WireFault(code, fault.message, fault.detail) from None

    async def _inline(self, build: Callable[[], TextEnv], count: int) -> Sequence[Seat]:
        sessions: list[Session] = []
        pause = Pause()
        try:
            for _ in range(count):
                player = Player(build, self.spec.limits)
                sessions.append(Session(new_sid(), player, self.watch))
                await pause.if_due()
        except BaseException:
            for session in sessions:
                session.end()
            raise
        return sessions

    def _in_worker(self, env: HostedEnv) -> bool:
        if self.spec.workers is not None:
            return self.spec.workers > 0
        return run_env(env.id, lambda: isolated(env.id, env.options))

    def _pool(self) -> Pool:
        size = min(_processors(), _MOST_WORKERS) if self.spec.workers is None else self.spec.workers
        setup = Setup(
            imports=self.spec.imports,
            envs=tuple((card(env.id), self._entry_point(env)) for env in self.spec.envs),
            limits=self.spec.limits,
        )
        duty = Duty(setup=setup, watch=self.watch, lose=self.store.lose)
        return Pool(size, duty, self.spec.limits)

    def _entry_point(self, env: HostedEnv) -> str:
        found = entry_point_of(env.id)
        if found.startswith("__main__:") and self._in_worker(env):
            raise BadOption(
                f"{env.id} is defined in the main script, which worker processes cannot import; "
                "put it into a module, or serve it with workers=0"
            )
        return found


def _plan(env: HostedEnv) -> Plan:
    return Plan(env=env.id, options=dict(env.options), deterministic=card(env.id).deterministic)


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

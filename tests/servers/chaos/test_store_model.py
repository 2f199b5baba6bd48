"""Any order of leases, steps, copies, ends and losses leaves a store where a simple model says."""

import json
from dataclasses import dataclass, field
from typing import Any

from corridor_env import Corridor
from http_door import Clock
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gigym.envs import Reply
from gigym.envs.wire import ForkItem, Recipe, RenewItem, ResetItem, RestoreItem, SidItem, StepItem
from gigym.envs.wire import Snapshot as Frozen
from gigym.servers import Limits
from gigym.servers.errors import WireFault
from gigym.servers.playing import Player
from gigym.servers.sessions import Session
from gigym.servers.store import Store, new_sid

LIMITS = Limits(sessions=6, lease_s=10.0, memory_s=1000.0)
ACTIONS = st.sampled_from(["east", "west", "take lamp"])
OFFSETS = st.sampled_from([-2, -1, -1, 0, 0, 0, 0, 1])
EP_OFFSETS = st.sampled_from([0, 0, 0, 0, 0, 1, -1])
WHICH = st.integers(0, 7)
GONE = {"closed": "SESSION_UNKNOWN", "expired": "SESSION_EXPIRED", "lost": "WORKER_LOST"}


def corridor() -> Corridor:
    return Corridor(max_steps=8)


@dataclass(kw_only=True)
class Believed:
    """What the model knows of a session."""

    ends: float
    ep: int = 0
    seed: int | None = None
    """None before the first episode."""
    actions: list[str] = field(default_factory=list[str])
    reset_by: int | None = None
    """Seed of the reset that opened the episode; None where a restore or a fork did."""
    taken: int = 0
    """Steps since the episode was opened here; only they can be repeated."""

    def last(self) -> Reply:
        """The last reply, by playing everything anew."""
        assert self.seed is not None
        world = corridor()
        replies = [world.start(self.seed), *map(world.answer, self.actions)]
        return replies[-1]


class StoreModel(RuleBasedStateMachine):
    """A store beside a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = Store(LIMITS, self.clock)
        self.live: dict[str, Believed] = {}
        self.gone: dict[str, str] = {}
        self.frozen: list[tuple[Frozen, int, list[str]]] = []

    @rule()
    def lease(self) -> None:
        if self.store.free > 0:
            sid = new_sid()
            self.store.add(Session(sid, Player(corridor, LIMITS)), None)
            self.live[sid] = Believed(ends=self.clock.now + 10)

    @precondition(lambda self: self.live or self.gone)
    @rule(which=WHICH, offset=OFFSETS, seed=st.integers(0, 2))
    def reset(self, which: int, offset: int, seed: int) -> None:
        sid = self.pick(which)
        believed = self.live.get(sid)
        ep = max(0, (believed.ep if believed else 0) + offset)
        got = self.call(lambda: self.store.reset(ResetItem(sid=sid, ep=ep, seed=seed)))
        if believed is None:
            assert got == (GONE[self.gone[sid]],)
        elif ep == believed.ep:
            believed.ep, believed.seed, believed.actions, believed.taken = ep + 1, seed, [], 0
            believed.reset_by = seed
            assert got == ("ok", ep + 1, 0, believed.last().observation)
        elif ep == believed.ep - 1 and believed.seed is not None:
            assert got[0] == ("replayed" if seed == believed.reset_by else "STEP_CONFLICT")
            if got[0] == "replayed":
                assert got[1:] == (believed.ep, 0, corridor().start(seed).observation)
        else:
            assert got == ("STEP_INDEX",)
        self.touch(sid)

    @precondition(lambda self: self.live or self.gone)
    @rule(which=WHICH, ep_offset=EP_OFFSETS, offset=OFFSETS, action=ACTIONS)
    def step(self, which: int, ep_offset: int, offset: int, action: str) -> None:
        sid = self.pick(which)
        believed = self.live.get(sid)
        n = max(0, (len(believed.actions) if believed else 0) + offset)
        ep = max(0, (believed.ep if believed else 0) + ep_offset)
        code = self.expected(sid, ep, n, action)
        before = Corridor.total
        got = self.call(lambda: self.store.step(StepItem(sid=sid, ep=ep, n=n, action=action)))
        assert Corridor.total - before == (code == "ok")
        assert got[0] == code
        if believed is not None and code in ("ok", "replayed"):
            if code == "ok":
                believed.actions.append(action)
                believed.taken += 1
            assert got[1:] == (ep, len(believed.actions), believed.last().observation)
        self.touch(sid)

    def expected(self, sid: str, ep: int, n: int, action: str) -> str:
        if sid not in self.live:
            return GONE[self.gone[sid]]
        believed = self.live[sid]
        if believed.seed is None:
            return "NOT_RESET"
        if ep != believed.ep:
            return "STEP_INDEX"
        if n == len(believed.actions) - 1 and believed.taken:
            return "replayed" if action == believed.actions[-1] else "STEP_CONFLICT"
        if n != len(believed.actions):
            return "STEP_INDEX"
        return "EPISODE_OVER" if believed.last().done else "ok"

    @precondition(lambda self: self.live)
    @rule(which=WHICH)
    def snapshot(self, which: int) -> None:
        sid = self.pick_live(which)
        believed = self.live[sid]
        try:
            tree = json.loads(self.store.snapshot(SidItem(sid=sid)))  # type: ignore[arg-type]
            assert believed.seed is not None
            held = Frozen.model_validate(tree["snapshot"])
            assert held.state_key == believed.last().state_key
            self.frozen.append((held, believed.seed, list(believed.actions)))
        except WireFault as fault:
            assert (fault.code, believed.seed) == ("NOT_RESET", None)
        self.touch(sid)

    @precondition(lambda self: self.live and self.frozen)
    @rule(which=WHICH, source=st.integers(0, 99), by_recipe=st.booleans())
    def restore(self, which: int, source: int, by_recipe: bool) -> None:
        sid = self.pick_live(which)
        held, seed, actions = self.frozen[source % len(self.frozen)]
        item = RestoreItem(sid=sid, snapshot=held)
        if by_recipe:
            item = RestoreItem(sid=sid, recipe=Recipe(seed=seed, actions=actions))
        got, believed = self.call(lambda: self.store.restore(item)), self.live[sid]
        believed.ep, believed.seed = believed.ep + 1, seed
        believed.actions, believed.taken, believed.reset_by = list(actions), 0, None
        assert got == ("ok", believed.ep, len(actions), believed.last().observation)
        self.touch(sid)

    @precondition(lambda self: self.live)
    @rule(which=WHICH, count=st.integers(1, 3))
    def fork(self, which: int, count: int) -> None:
        sid = self.pick_live(which)
        believed, free = self.live[sid], self.store.free
        self.touch(sid)
        try:
            tree = json.loads(self.store.fork(ForkItem(sid=sid, count=count)))  # type: ignore[arg-type]
        except WireFault as fault:
            assert fault.code == ("BUSY" if count > free else "NOT_RESET")
            assert count > free or believed.seed is None
            return
        for child in tree["children"]:
            twin = Believed(ends=self.clock.now + 10, ep=believed.ep, seed=believed.seed)
            twin.actions, twin.taken = list(believed.actions), believed.taken
            self.live[child["sid"]] = twin

    @precondition(lambda self: self.live)
    @rule(which=WHICH, how=st.sampled_from(["closed", "lost"]))
    def end(self, which: int, how: str) -> None:
        sid = self.pick_live(which)
        del self.live[sid]
        self.gone[sid] = how
        if how == "lost":
            self.store.lose(sid)
        else:
            self.store.close(SidItem(sid=sid))

    @precondition(lambda self: self.live)
    @rule(which=WHICH)
    def renew(self, which: int) -> None:
        sid = self.pick_live(which)
        self.store.renew(RenewItem(sid=sid))
        self.touch(sid)

    @rule(seconds=st.integers(1, 6), sweeps=st.booleans())
    def wait(self, seconds: int, sweeps: bool) -> None:
        self.clock.now += seconds
        for sid, believed in list(self.live.items()):
            if believed.ends <= self.clock.now:
                del self.live[sid]
                self.gone[sid] = "expired"
        if sweeps:
            self.store.sweep()

    def touch(self, sid: str) -> None:
        if sid in self.live:
            self.live[sid].ends = self.clock.now + 10

    def pick(self, which: int) -> str:
        known = [*self.live, *list(self.gone)[-2:]]
        return known[which % len(known)]

    def pick_live(self, which: int) -> str:
        return list(self.live)[which % len(self.live)]

    def call(self, work: Any) -> tuple[Any, ...]:  # noqa: ANN401
        try:
            result = json.loads(work())
        except WireFault as fault:
            return (fault.code.value,)
        kind = "replayed" if result.get("replayed") else "ok"
        return kind, result["ep"], result["n"], result["reply"]["observation"]

    @invariant()
    def the_living_are_there_and_the_dead_hold_no_place(self) -> None:
        assert set(self.live) <= {sid for sid in self.live if sid in self.store}
        assert not any(sid in self.store for sid, how in self.gone.items() if how != "expired")
        assert len(self.store) - len(self.live) <= sum(h == "expired" for h in self.gone.values())


TestStoreModel = StoreModel.TestCase
TestStoreModel.settings = settings(
    max_examples=250,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    database=None,
)

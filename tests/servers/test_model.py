"""Any sequence of calls, sensible or not, leaves a session where a simple model says."""

import json
from typing import Any

from corridor_env import Corridor
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gigym.envs.wire import ResetItem, StepItem
from gigym.servers import Limits
from gigym.servers.errors import WireFault
from gigym.servers.playing import Player
from gigym.servers.sessions import Session

ACTIONS = st.sampled_from(["east", "west", "take lamp"])
OFFSETS = st.sampled_from([-2, -1, -1, 0, 0, 0, 1])


class SessionModel(RuleBasedStateMachine):
    """The table of the protocol in its plainest form, beside a real session."""

    def __init__(self) -> None:
        super().__init__()
        limits = Limits()
        self.session = Session("s-1", Player(lambda: Corridor(max_steps=6), limits))
        self.world = Corridor(max_steps=6)
        self.ep, self.seed = 0, 0
        self.taken: list[str] = []
        self.replies: list[Any] = []
        self.applied = 0

    @rule(offset=OFFSETS, seed=st.integers(0, 2))
    def reset(self, offset: int, seed: int) -> None:
        ep = max(0, self.ep + offset)
        code = "ok"
        if ep == self.ep - 1:
            code = "replayed" if seed == self.seed else "STEP_CONFLICT"
        elif ep != self.ep:
            code = "STEP_INDEX"
        got = self.call(lambda: self.session.reset(ResetItem(sid="s-1", ep=ep, seed=seed)))
        if code == "ok":
            self.ep, self.seed, self.taken = self.ep + 1, seed, []
            self.replies = [self.world.start(seed)]
        assert got[0] == code
        if code in ("ok", "replayed"):
            assert got[1:] == (self.ep, 0, self.replies[0].observation)

    @rule(ep_offset=st.sampled_from([0, 0, 0, 1, -1]), offset=OFFSETS, action=ACTIONS)
    def step(self, ep_offset: int, offset: int, action: str) -> None:
        ep, n = max(0, self.ep + ep_offset), max(0, len(self.taken) + offset)
        code = self.expected(ep, n, action)
        before = Corridor.total
        item = StepItem(sid="s-1", ep=ep, n=n, action=action)
        got = self.call(lambda: self.session.step(item, 1000))
        assert Corridor.total - before == (code == "ok")
        if code == "ok":
            self.taken.append(action)
            self.replies.append(self.world.answer(action))
        assert got[0] == code
        if code in ("ok", "replayed"):
            assert got[1:] == (self.ep, len(self.taken), self.replies[-1].observation)

    def expected(self, ep: int, n: int, action: str) -> str:
        if not self.replies:
            return "NOT_RESET"
        if ep != self.ep:
            return "STEP_INDEX"
        if self.taken and n == len(self.taken) - 1:
            return "replayed" if action == self.taken[-1] else "STEP_CONFLICT"
        if n != len(self.taken):
            return "STEP_INDEX"
        return "EPISODE_OVER" if self.replies[-1].done else "ok"

    def call(self, work: Any) -> tuple[Any, ...]:  # noqa: ANN401
        try:
            result = json.loads(work())
        except WireFault as fault:
            return (fault.code.value,)
        kind = "replayed" if result.get("replayed") else "ok"
        return kind, result["ep"], result["n"], result["reply"]["observation"]

    @invariant()
    def positions_agree(self) -> None:
        assert self.session.ep == self.ep
        assert self.session.position()[0] == len(self.taken)


TestSessionModel = SessionModel.TestCase
TestSessionModel.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
)

"""An environment that shows how often each of its steps was executed; importing it registers it.

Every reply carries a digest of all actions since the reset, so that a step that was lost, doubled
or swapped changes everything after it. Executions are counted in this process, and written to a
ledger file where the host names one.
"""

import os
from collections import Counter
from typing import ClassVar

from gigym.envs import EnvCard, Options, Reply, TextEnv, register
from gigym.envs.types import digest

ACTIONS = ("red", "green", "blue", "white", "black")
COUNTING = EnvCard(
    id="Counting-v0",
    version="1.0.0",
    summary="counts what is done to it",
    reward_range=(0.0, 1.0),
    max_steps=100,
    caps=("state_key", "admissible_actions"),
    host_options=("ledger",),
)


class Counting(TextEnv):
    card = COUNTING
    executed: ClassVar[Counter[tuple[int, int]]] = Counter()
    """Executions by seed and number of the step; 0 is the reset."""

    def __init__(self, *, ledger: str = "", max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        self.ledger, self.seed, self.count, self.past = ledger, 0, 0, ""

    def begin(self, seed: int, options: Options) -> Reply:
        self.seed, self.count, self.past = seed, 0, digest(seed)
        return self._reply()

    def act(self, action: str) -> Reply:
        self.count += 1
        self.past = digest([self.past, action])
        return self._reply()

    def _reply(self) -> Reply:
        Counting.executed[self.seed, self.count] += 1
        if self.ledger:
            line = f"{os.getpid()} {self.seed} {self.count}\n".encode()
            descriptor = os.open(self.ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, line)
            os.close(descriptor)
        return Reply(
            observation=f"After {self.count} actions: {self.past}.",
            reward=int(self.past[:2], 16) / 255,
            terminated=self.count > 0 and self.past.startswith("000"),
            state_key=self.past,
            admissible_actions=ACTIONS,
        )


register(COUNTING, "counting_env:Counting")

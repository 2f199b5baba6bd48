"""A ladder to climb, seats that make it slow or stuck, and agents that climb it by chance."""

import asyncio
import random
from collections.abc import Callable, Sequence

from gigym.agents import RolloutSpec, SamplingSpec, ScriptedEngine, build_tokenizer
from gigym.agents.record import EpisodeRecord, Source, episode_line
from gigym.agents.scripted import Answer
from gigym.agents.terse import TerseDialogue
from gigym.envs import EnvCard, Options, Reply, Task, TextEnv, register
from gigym.envs.pool import LocalPool, Seat, SeatPool
from gigym.grouping.types import Group

ACTIONS = ("down", "up", "wait")
PHRASES = (
    "You stand on rung",
    "of",
    ". Your task is to: climb.",
    ".",
    *ACTIONS,
    "break",
    *"0123456789",
)
CARD = EnvCard(
    id="Ladder-v0",
    version="1.0.0",
    summary="climb to the top",
    success_reward=1.0,
    reward_range=(0.0, 1.0),
    max_steps=12,
    caps=("state_key", "admissible_actions"),
)


class Ladder(TextEnv):
    card = CARD
    starts = 0
    """Resets of all instances in this process."""

    def __init__(
        self, *, height: int = 3, bare: bool = False, drift: int = 0, max_steps: int | None = None
    ) -> None:
        super().__init__(max_steps=max_steps)
        self.height, self.bare, self.drift, self.rung = height, bare, drift, 0

    def begin(self, seed: int, options: Options) -> Reply:
        if seed == 13:
            raise RuntimeError("no thirteenth ladder")
        Ladder.starts += 1
        self.rung = int(bool(self.drift) and Ladder.starts % self.drift == 0)
        return self._reply(" Your task is to: climb.")

    def act(self, action: str) -> Reply:
        if action == "break":
            raise ZeroDivisionError("the rung gives way")
        self.rung = max(0, self.rung + {"up": 1, "down": -1}.get(action, 0))
        return self._reply("")

    def _reply(self, more: str) -> Reply:
        won = self.rung >= self.height
        return Reply(
            observation=f"You stand on rung {self.rung} of {self.height}.{more}",
            reward=float(won),
            terminated=won,
            state_key=None if self.bare else f"rung-{self.rung}",
            admissible_actions=None if self.bare else ACTIONS,
            info={"won": won, "task_id": f"ladder-{self.height}", "task_type": "climb"},
        )


register(CARD, "ladder_env:Ladder")


def ladders(*seeds: int) -> list[Task]:
    return [Task(env=CARD.id, seed=seed) for seed in seeds]


DIALOGUE = TerseDialogue(build_tokenizer(PHRASES))
UP = DIALOGUE.reply_ids("up")
SPEC = RolloutSpec(siblings=3, max_action_tokens=6, max_model_len=400, run_seed=5)


def climb(prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...]:
    return UP


def by_chance(prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...]:
    """An action drawn with the request's seed: it depends on prompt and seed alone."""
    return DIALOGUE.reply_ids(random.Random(f"{spec.seed}:{prompt}").choice(ACTIONS))


def engine(
    answer: Answer = by_chance,
    *,
    max_model_len: int = 4096,
    latency: Callable[[str], float] = lambda request_id: 0.0,
) -> ScriptedEngine:
    return ScriptedEngine(answer, max_model_len=max_model_len, latency=latency)


def pool(**options: int | bool) -> LocalPool:
    return LocalPool(CARD.id, options)


def lines(groups: Sequence[Group]) -> list[str]:
    """Everything that a rollout recorded, as text."""
    return [
        episode_line(EpisodeRecord(source=Source(), step=0, group=index, trajectory=episode))
        for index, group in enumerate(groups)
        for episode in (*group.trajectories, *group.failures)
    ]


class LateSeat:
    """Answers after a random while, or after an endless one where it is stuck."""

    def __init__(self, seat: Seat, rng: random.Random, stuck: bool) -> None:
        self._seat, self._rng, self._stuck = seat, rng, stuck

    async def reset(self, task: Task) -> Reply:
        await asyncio.sleep(self._rng.random() * 0.01)
        return await self._seat.reset(task)

    async def step(self, action: str) -> Reply:
        await asyncio.sleep(3600 if self._stuck else self._rng.random() * 0.01)
        return await self._seat.step(action)


class LatePool(SeatPool):
    """Seats of another pool, each late by chance; those numbered in `stuck` never answer."""

    def __init__(self, pool: LocalPool, seed: int, stuck: Sequence[int] = ()) -> None:
        self._pool, self._rng, self._stuck = pool, random.Random(seed), frozenset(stuck)

    async def open(self, count: int) -> tuple[Seat, ...]:
        seats = await self._pool.open(count)
        return tuple(LateSeat(s, self._rng, i in self._stuck) for i, s in enumerate(seats))

    async def aclose(self) -> None:
        await self._pool.aclose()

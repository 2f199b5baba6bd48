"""One sound environment, and for each check of `check_env` one that breaks it."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from gigym.envs import BadOption, EnvCard, EpisodeError, Options, Reply, TextEnv, UnknownTask
from gigym.envs.types import JsonValue, digest

CARD = EnvCard(
    id="Dial-v0",
    version="1.0.0",
    summary="turn a dial to its mark",
    success_reward=1.0,
    reward_range=(0.0, 1.0),
    max_steps=20,
    caps=("state_key", "admissible_actions", "snapshot", "fork"),
    splits=("train", "test"),
)
TASKS = 6


class Dial(TextEnv):
    card = CARD

    def __init__(self, *, split: str = "train", max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        if split not in self.card.splits:
            raise BadOption(f"no split {split!r}")
        self.split, self.num_tasks = split, TASKS
        self.at, self.mark, self.name = 0, 1, ""

    def task_id(self, seed: int, split: str | None) -> str:
        return f"{split}/{seed % TASKS}"

    def begin(self, seed: int, options: Options) -> Reply:
        name = options.get("task", self.task_id(seed, self.split))
        if not isinstance(name, str):
            raise BadOption(f"the option task must be a str, got {name!r}")
        if name not in {self.task_id(number, self.split) for number in range(TASKS)}:
            raise UnknownTask(f"no task {name!r}")
        self.name, self.at, self.mark = name, 0, 2 + int(name.split("/")[1])
        return self.reply("The dial shows 0.")

    def act(self, action: str) -> Reply:
        step = {"up": 1, "down": -1}.get(action, 0)
        self.at = max(0, self.at + step)
        return self.reply(f"The dial shows {self.at}.")

    def freeze(self) -> JsonValue:
        return {"name": self.name, "at": self.at, "mark": self.mark}

    def thaw(self, frozen: JsonValue) -> None:
        held = cast("dict[str, Any]", frozen)
        self.name, self.at, self.mark = held["name"], held["at"], held["mark"]

    def key(self) -> str:
        return digest([self.name, self.at])

    def reply(self, text: str) -> Reply:
        won = self.at == self.mark
        return Reply(
            observation=text,
            reward=float(won),
            terminated=won,
            state_key=self.key(),
            admissible_actions=("up", "down"),
            info={"won": won, "task_id": self.name},
        )


class Plays(Dial):
    def act(self, action: str) -> Reply:
        return replace(super().act(action), terminated=cast("bool", np.bool_(False)))


class FiveTuple(Dial):
    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        observation, _, terminated, truncated, info = super().step(action)
        return observation, cast("float", "much"), terminated, truncated, info


class Observation(Dial):
    def begin(self, seed: int, options: Options) -> Reply:
        return replace(super().begin(seed, options), observation="half a pair \ud800")


class Info(Dial):
    def reply(self, text: str) -> Reply:
        return replace(super().reply(text), info={"won": False, "seen": cast("Any", {1, 2})})


class Reward(Dial):
    def reply(self, text: str) -> Reply:
        return replace(super().reply(text), reward=1.5)


class Caps(Dial):
    card = replace(CARD, caps=(*CARD.caps, "expert"))


class Gymnasium(Dial):
    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        return self.start(seed or 0, options).observation, {}


class Order(Dial):
    def answer(self, action: str) -> Reply:
        try:
            return super().answer(action)
        except EpisodeError:
            return self.reply("Whatever.")


class TurnLimit(Dial):
    def answer(self, action: str) -> Reply:
        return self.act(action)


class AnyText(Dial):
    def act(self, action: str) -> Reply:
        action.encode()
        return super().act(action)


class Determinism(Dial):
    episodes = 0

    def begin(self, seed: int, options: Options) -> Reply:
        self.episodes += 1
        return replace(super().begin(seed, options), observation=f"episode {self.episodes}")


class Processes(Dial):
    def reply(self, text: str) -> Reply:
        return replace(super().reply(text), observation=f"{text} {hash('a text')}")


class Interleaving(Dial):
    shared = 0

    def begin(self, seed: int, options: Options) -> Reply:
        type(self).shared = 0
        return super().begin(seed, options)

    def act(self, action: str) -> Reply:
        type(self).shared += 1
        return replace(super().act(action), observation=f"step {self.shared}")


class GlobalRng(Dial):
    def act(self, action: str) -> Reply:
        random.random()
        return super().act(action)


class Snapshot(Dial):
    def freeze(self) -> JsonValue:
        return {**cast("dict[str, Any]", super().freeze()), "ballast": "x" * 2**20}


class Restore(Dial):
    def thaw(self, frozen: JsonValue) -> None:
        super().thaw(frozen)
        self.at += 1


class Fork(Dial):
    def __init__(self, *, max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        self.cells = [0]

    def begin(self, seed: int, options: Options) -> Reply:
        self.cells[0] = 0
        return super().begin(seed, options)

    def act(self, action: str) -> Reply:
        self.cells[0] += 1
        return replace(super().act(action), observation=f"{self.cells[0]} steps")


class StateKey(Dial):
    def key(self) -> str:
        return digest([self.name])


class State(Dial):
    def key(self) -> str:
        return digest([self.name, self.at, self._turns])


class Tasks(Dial):
    def begin(self, seed: int, options: Options) -> Reply:
        return super().begin(seed, {})


class Seeds(Dial):
    def task_id(self, seed: int, split: str | None) -> str:
        return f"{split}/{seed % 2}"


class Splits(Dial):
    def task_id(self, seed: int, split: str | None) -> str:
        return f"all/{seed % TASKS}"


BROKEN: dict[str, type[TextEnv]] = {
    "plays": Plays,
    "five_tuple": FiveTuple,
    "observation": Observation,
    "info": Info,
    "reward": Reward,
    "caps": Caps,
    "gymnasium": Gymnasium,
    "order": Order,
    "turn_limit": TurnLimit,
    "any_text": AnyText,
    "determinism": Determinism,
    "processes": Processes,
    "interleaving": Interleaving,
    "global_rng": GlobalRng,
    "snapshot": Snapshot,
    "restore": Restore,
    "fork": Fork,
    "state_key": StateKey,
    "state": State,
    "tasks": Tasks,
    "seeds": Seeds,
    "splits": Splits,
}

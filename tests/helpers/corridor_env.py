"""Small deterministic text games that the server tests play; importing this registers them."""

import random
from typing import Any, cast

from gigym.envs import BadOption, EnvCard, Options, Reply, TextEnv, UnknownTask, register
from gigym.envs.types import JsonValue, digest

_CAPS = ("state_key", "admissible_actions", "snapshot", "fork")

CORRIDOR = EnvCard(
    id="Corridor-v0",
    version="1.0.0",
    summary="find the lamp in a dark corridor",
    success_reward=1.0,
    reward_range=(0.0, 1.0),
    max_steps=30,
    caps=_CAPS,
    host_options=("plan",),
)
HALLWAY = EnvCard(
    id="Hallway-v0",
    version="1.0.0",
    summary="the same without state keys and snapshots",
    reward_range=(0.0, 1.0),
    max_steps=30,
    caps=("admissible_actions",),
)
TRAPDOOR = EnvCard(
    id="Trapdoor-v0", version="1.0.0", summary="breaks on command", reward_range=(0.0, 1.0)
)
DICE = EnvCard(id="Dice-v0", version="1.0.0", summary="a die without memory", deterministic=False)


class Corridor(TextEnv):
    card = CORRIDOR
    total = 0
    """Actions applied by all instances in this process."""

    def __init__(self, *, length: int = 6, plan: str = "", max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        if not 2 <= length <= 1000:
            raise BadOption(f"length must be 2 to 1000, got {length}")
        self.length, self.plan = length, plan
        self.here, self.lamp, self.noise = 0, 0, random.Random(0)

    def begin(self, seed: int, options: Options) -> Reply:
        if "task" in options and options["task"] != "lamp":
            raise UnknownTask(f"no task {options['task']!r}")
        self.noise = random.Random(seed)
        self.here, self.lamp = 0, self.noise.randrange(1, self.length)
        return self._reply("It is dark.", 0.0)

    def act(self, action: str) -> Reply:
        type(self).total += 1
        won = action == "take lamp" and self.here == self.lamp
        if action in ("east", "west"):
            self.here += 1 if action == "east" else -1
            self.here = min(max(self.here, 0), self.length - 1)
        drip = self.noise.choice(["", " Water drips.", " Something squeaks: \u00e9\U0001f400."])
        return self._reply(f"You stand at {self.here}.{drip}", float(won), won)

    def freeze(self) -> JsonValue:
        version, numbers, gauss = self.noise.getstate()
        return {
            "here": self.here,
            "lamp": self.lamp,
            "noise": [version, list(numbers), gauss],
        }

    def thaw(self, frozen: JsonValue) -> None:
        held = cast("dict[str, Any]", frozen)
        version, numbers, gauss = held["noise"]
        self.noise = random.Random(0)
        self.noise.setstate((version, tuple(numbers), gauss))
        self.here, self.lamp = held["here"], held["lamp"]

    def _reply(self, text: str, reward: float, won: bool = False) -> Reply:
        return Reply(
            observation=text,
            reward=reward,
            terminated=won,
            state_key=digest([self.here, self.lamp, list(self.noise.getstate()[1])]),
            admissible_actions=("east", "take lamp", "west"),
            info={"won": won, "plan": self.plan},
        )


class Hallway(Corridor):
    card = HALLWAY

    def _reply(self, text: str, reward: float, won: bool = False) -> Reply:
        return Reply(observation=text, reward=reward, terminated=won)


class Trapdoor(TextEnv):
    card = TRAPDOOR

    def __init__(self, *, nails: int = 4, max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        self.nails = 12 // nails

    def begin(self, seed: int, options: Options) -> Reply:
        if seed == 13:
            raise RuntimeError("unlucky")
        return Reply(observation="A trapdoor.")

    def act(self, action: str) -> Reply:
        answers: dict[str, Any] = {
            "nan": {"reward": float("nan")},
            "rich": {"reward": 1e9},
            "huge": {"reward": 10**5000},
            "surrogate": {"observation": "\ud800"},
            "number": {"observation": 7},
            "long": {"observation": "x" * 300_000},
            "set": {"info": {"seen": {1, 2}}},
            "infinite": {"info": {"x": float("inf")}},
        }
        if action == "crash":
            raise ZeroDivisionError("the floor gives way")
        if action == "exit":
            raise SystemExit(3)
        return Reply(**{"observation": "creak", **answers.get(action, {})})


class Dice(TextEnv):
    card = DICE

    def begin(self, seed: int, options: Options) -> Reply:
        return Reply(observation="Roll it.")

    def act(self, action: str) -> Reply:
        return Reply(observation=str(random.randint(1, 6)))


register(CORRIDOR, "corridor_env:Corridor")
register(HALLWAY, "corridor_env:Hallway")
register(TRAPDOOR, "corridor_env:Trapdoor")
register(DICE, "corridor_env:Dice")

"""Two jugs without marks, a tap and a drain: measure out a wanted amount of water."""

from math import gcd

from gigym.envs import BadOption, EnvCard, Options, Reply, TextEnv, UnknownTask, register
from gigym.envs.types import JsonValue, digest

CARD = EnvCard(
    id="Jugs-v0",
    version="1.0.0",
    summary="measure out an amount of water with two jugs",
    success_reward=1.0,
    reward_range=(0.0, 1.0),
    max_steps=40,
    caps=("state_key", "admissible_actions", "snapshot", "fork"),
    splits=("train", "test"),
)
SIZES = [(a, b) for b in range(4, 12) for a in range(3, b) if gcd(a, b) == 1]
TASKS = [f"{a}-{b}-{want}" for a, b in SIZES for want in range(1, b) if want != a]
SPLITS = {"train": [t for t in TASKS if t[0] != "5"], "test": [t for t in TASKS if t[0] == "5"]}
ACTIONS = tuple(f"{verb} the {jug} jug" for verb in ("fill", "empty", "pour") for jug in "AB")


class Jugs(TextEnv):
    """Jug A is smaller than jug B; the wanted amount may stand in either."""

    card = CARD

    def __init__(self, *, split: str = "train", max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        self.split, self.num_tasks = split, self.task_count(split)

    def task_count(self, split: str | None) -> int | None:
        return len(SPLITS[split]) if split in SPLITS else super().task_count(split)

    def task_id(self, seed: int, split: str | None) -> str:
        names = SPLITS[split or "train"]
        return names[seed % len(names)]

    def begin(self, seed: int, options: Options) -> Reply:
        task = options.get("task", self.task_id(seed, self.split))
        if task not in TASKS:
            kind = UnknownTask if isinstance(task, str) else BadOption
            raise kind(f"Jugs-v0 has no task {task!r:.60}; ids are like '3-5-4'")
        self.thaw(f"{task} 0 0")
        a, b, want = self.numbers
        return self.reply(f"Jug A holds {a} litres, jug B holds {b}. Measure out {want} litres.")

    def act(self, action: str) -> Reply:
        if action not in ACTIONS:
            return self.reply("You can fill, empty or pour: for example, fill the A jug.")
        verb, jug = action.split()[0], int(action[-5] == "B")
        room = self.numbers[1 - jug] - self.water[1 - jug]
        poured = min(self.water[jug], room) if verb == "pour" else self.water[jug]
        self.water[jug] = self.numbers[jug] if verb == "fill" else self.water[jug] - poured
        self.water[1 - jug] += poured if verb == "pour" else 0
        return self.reply(f"You {verb} jug {'AB'[jug]}.")

    def freeze(self) -> JsonValue:
        return " ".join([self.task, *map(str, self.water)])

    def thaw(self, frozen: JsonValue) -> None:
        self.task, *water = str(frozen).split()
        self.water = [int(litres) for litres in water]
        self.numbers = [int(number) for number in self.task.split("-")]

    def reply(self, event: str) -> Reply:
        won = self.numbers[2] in self.water
        return Reply(
            observation=f"{event} In A: {self.water[0]}. In B: {self.water[1]}.",
            reward=float(won),
            terminated=won,
            state_key=digest(self.freeze()),
            admissible_actions=ACTIONS,
            info={"task_id": self.task, "won": won},
        )


def add() -> None:
    register(CARD, "jugs:Jugs")

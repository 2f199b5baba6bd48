"""A small world with every ability the command line uses; its code prints and can raise."""

from gigym.envs import EnvCard, Options, Policy, Reply, TextEnv
from gigym.envs.base import ExpertKind
from gigym.envs.types import JsonValue


class Corridor(TextEnv):
    """Walk east until the end."""

    card = EnvCard(
        id="TestCorridor-v0",
        version="1.0.0",
        summary="walk east",
        success_reward=1.0,
        reward_range=(0.0, 1.0),
        max_steps=20,
        caps=("state_key", "admissible_actions", "snapshot", "fork", "expert"),
    )

    def __init__(self, *, length: int = 3, max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        self._length = length
        self._place = 0

    def begin(self, seed: int, options: Options) -> Reply:
        self._place = 0
        return self._reply("You stand at the west end.\x1b[31m")

    def act(self, action: str) -> Reply:
        print("a print in the environment")
        if action == "dig":
            raise RuntimeError("the floor gave way")
        self._place = max(0, self._place + {"east": 1, "west": -1}.get(action, 0))
        return self._reply(f"You are at {self._place}.")

    def freeze(self) -> JsonValue:
        return self._place

    def thaw(self, frozen: JsonValue) -> None:
        assert isinstance(frozen, int)
        self._place = frozen

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        return East()

    def _reply(self, text: str) -> Reply:
        won = self._place >= self._length
        return Reply(
            observation=text,
            reward=float(won),
            terminated=won,
            state_key=f"place-{self._place}",
            admissible_actions=("east", "west"),
            info={"won": won},
        )


class East:
    def act(self, reply: Reply) -> str:
        return "east"

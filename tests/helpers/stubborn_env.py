"""A counter that hangs, spins and ends its process on command; importing this registers it."""

import os
import time
from pathlib import Path

from gigym.envs import EnvCard, Options, Reply, TextEnv, register
from gigym.envs.types import digest

STUBBORN = EnvCard(
    id="Stubborn-v0",
    version="1.0.0",
    summary="counts, and breaks its process on command",
    caps=("state_key",),
)
MOODY = EnvCard(
    id="Moody-v0",
    version="1.0.0",
    summary="names its process in every answer",
    caps=("state_key",),
)


class Stubborn(TextEnv):
    card = STUBBORN

    def __init__(self, *, asleep: bool = False, apart: bool = False) -> None:
        super().__init__()
        if asleep:
            time.sleep(1e9)
        self.count = 0

    @classmethod
    def isolated_with(cls, options: Options) -> bool:
        return bool(options.get("apart"))

    def begin(self, seed: int, options: Options) -> Reply:
        self.count = seed * 1000
        return self.reply()

    def act(self, action: str) -> Reply:
        verb, _, path = action.partition(" ")
        if verb == "sleep":
            time.sleep(1e9)
        while verb == "spin":
            pass
        if verb == "exit" or (verb == "once" and not Path(path).exists()):
            Path(path or os.devnull).touch()
            os._exit(9)
        if verb == "nap":
            time.sleep(0.3)
        if verb == "raise":
            raise ZeroDivisionError("no floor")
        self.count += 1
        return self.reply()

    def reply(self) -> Reply:
        return Reply(observation=f"{self.count} \u00e9", state_key=digest(self.count))


class Moody(Stubborn):
    card = MOODY

    def reply(self) -> Reply:
        return Reply(observation=f"{os.getpid()}", state_key=digest([self.count, os.getpid()]))


register(STUBBORN, "stubborn_env:Stubborn")
register(MOODY, "stubborn_env:Moody")

"""An environment that hangs, dies, talks and reads, on command."""

import os
import sys
import time
from pathlib import Path

from gigym.envs import EnvCard, Options, Reply, TextEnv, register
from gigym.envs.types import digest

FRAGILE = EnvCard(id="Fragile-v0", version="1.0.0", summary="breaks its process", max_steps=50)


class Fragile(TextEnv):
    card = FRAGILE

    def __init__(self, *, flag: str = "", max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        self.flag, self.count = flag, 0

    def begin(self, seed: int, options: Options) -> Reply:
        self.count = seed
        return self.reply()

    def act(self, action: str) -> Reply:
        if action == "die" or (action == "die once" and not Path(self.flag).exists()):
            Path(self.flag or os.devnull).touch()
            os._exit(9)
        if action == "hang":
            time.sleep(600)
        if action == "chat":
            print("chatter", file=sys.stdout, flush=True)
            os.write(1, b"more chatter\n")
            return Reply(observation=f"read {sys.stdin.read()!r}")
        if action == "raise":
            raise ZeroDivisionError("no floor")
        if action == "exit":
            raise SystemExit(3)
        self.count += 1
        return self.reply()

    def reply(self) -> Reply:
        done = self.count % 10 == 9
        return Reply(
            observation=f"{self.count} \u00e9 in {os.getpid() if self.flag == 'pid' else 'here'}",
            terminated=done,
            state_key=digest(self.count),
            info={"count": self.count, "odd": {"is": bool(self.count % 2)}},
        )


register(FRAGILE, "fragile_env:Fragile")

"""An environment that is slow on command, and can be built until its fuse blows."""

import time

from gigym.envs import EnvCard, Options, Reply, TextEnv, register

FUSE = EnvCard(id="Fuse-v0", version="1.0.0", summary="dark, once the fuse is blown")


class Fuse(TextEnv):
    card = FUSE
    blown = False

    def __init__(self, *, max_steps: int | None = None) -> None:
        super().__init__(max_steps=max_steps)
        if self.blown:
            raise RuntimeError("the fuse is blown")

    def begin(self, seed: int, options: Options) -> Reply:
        return Reply(observation="There is light.")

    def act(self, action: str) -> Reply:
        if action == "wait":
            time.sleep(1.0)
        return Reply(observation="It flickers.")


register(FUSE, "fuse_env:Fuse")

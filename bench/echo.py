"""The environment of `gigym bench servers`, which says again what it was told.

Importing this registers it.
"""

from ..envs import EnvCard, Options, Reply, TextEnv, register

ECHO = EnvCard(id="Echo-v0", version="1.0.0", summary="says again what it was told")


class Echo(TextEnv):
    """Has no end and no reward."""

    card = ECHO

    def begin(self, seed: int, options: Options) -> Reply:
        """Be silent."""
        return Reply(observation="")

    def act(self, action: str) -> Reply:
        """Say it again."""
        return Reply(observation=action)


register(ECHO, "gigym.bench.echo:Echo")

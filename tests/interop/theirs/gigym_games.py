"""A taskset for verifiers: episodes of an environment that a gigym server offers, by seed.

GIGYM_URL=http://127.0.0.1:8000 vf-eval gigym-games --env.taskset.seeds '[1, 2]'
"""

import os
from collections.abc import Iterator

import verifiers.v1 as vf  # pyright: ignore[reportMissingImports]
from pydantic import Field
from verifiers.v1.tasksets.openenv import (  # pyright: ignore[reportMissingImports]
    OpenEnvConfig,
    OpenEnvData,
    OpenEnvEnv,
    OpenEnvTask,
)

__all__ = ["GamesEnv", "GamesTaskset"]


class GamesConfig(OpenEnvConfig):
    """Which episodes."""

    # its base refuses a config without one before it reads the flags
    base_url: str | None = os.environ.get("GIGYM_URL")
    seeds: list[int] = Field(default=[0])


class GamesEnv(OpenEnvEnv):
    """The way verifiers plays an OpenEnv server."""


class GamesTaskset(vf.Taskset[OpenEnvTask, GamesConfig]):
    """A task for each seed."""

    def load(self) -> Iterator[OpenEnvTask]:
        for seed in self.config.seeds:
            task = OpenEnvData(
                name=f"game {seed}",
                prompt=None,
                env=None,
                base_url=self.config.base_url,
                use_docker=False,
                provider_kwargs={},
                reset={"seed": seed},
            )
            yield OpenEnvTask(task, self.config.task)

"""Text environments: one contract, versioned names, worlds in files of their own.

`TextEnv` loads Gymnasium and numpy when it is first asked for, so that listing stays cheap.
"""

from typing import TYPE_CHECKING

from .catalog import ALFWORLD
from .errors import (
    BadOption,
    EnvCodeError,
    EpisodeError,
    EpisodeLost,
    GameFileError,
    MissingExtra,
    ServerError,
    ServerUnreachable,
    UnknownEnv,
    UnknownTask,
    Unsupported,
)
from .needs import missing, register_need
from .registry import card, list_envs, make, make_aec, make_parallel, option_names, register
from .tasks import NOMINAL_TASKS, TaskSet
from .types import EnvCard, Options, Policy, Reply, Task

if TYPE_CHECKING:
    from .base import TextEnv

__all__ = [
    "ALFWORLD",
    "NOMINAL_TASKS",
    "BadOption",
    "EnvCard",
    "EnvCodeError",
    "EpisodeError",
    "EpisodeLost",
    "GameFileError",
    "MissingExtra",
    "Options",
    "Policy",
    "Reply",
    "ServerError",
    "ServerUnreachable",
    "Task",
    "TaskSet",
    "TextEnv",
    "UnknownEnv",
    "UnknownTask",
    "Unsupported",
    "card",
    "list_envs",
    "make",
    "make_aec",
    "make_parallel",
    "missing",
    "option_names",
    "register",
    "register_need",
]


def __getattr__(name: str) -> object:
    if name != "TextEnv":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .base import TextEnv

    return TextEnv

"""Text environments: one contract, versioned names, worlds in files of their own.

`TextEnv` loads Gymnasium and numpy when it is first asked for, so that listing stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from . import gymnasium_ids
from .catalog import ALFWORLD
from .errors import (
    BadOption,
    BrokenPlugin,
    CannotStore,
    CheckFailed,
    DataDamaged,
    DataMissing,
    DownloadFailed,
    EngineFailed,
    EnvCodeError,
    EnvTimeout,
    EpisodeError,
    EpisodeLost,
    GameFileError,
    MissingExtra,
    ServerError,
    ServerUnreachable,
    UnknownEnv,
    UnknownTask,
    Unsupported,
    WorkerLost,
)
from .needs import missing, register_need
from .registry import card, list_envs, make, make_aec, make_parallel, option_names, register
from .tasks import NOMINAL_TASKS, TaskSet
from .types import EnvCard, Options, Policy, Reply, Task

if TYPE_CHECKING:
    from .base import TextEnv
    from .checks import CheckPlan, CheckReport, check_env
    from .vector import TextVectorEnv, make_vec

__all__ = [
    "ALFWORLD",
    "NOMINAL_TASKS",
    "BadOption",
    "BrokenPlugin",
    "CannotStore",
    "CheckFailed",
    "CheckPlan",
    "CheckReport",
    "DataDamaged",
    "DataMissing",
    "DownloadFailed",
    "EngineFailed",
    "EnvCard",
    "EnvCodeError",
    "EnvTimeout",
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
    "TextVectorEnv",
    "UnknownEnv",
    "UnknownTask",
    "Unsupported",
    "WorkerLost",
    "card",
    "check_env",
    "list_envs",
    "make",
    "make_aec",
    "make_parallel",
    "make_vec",
    "missing",
    "option_names",
    "register",
    "register_need",
]

_FILE = {
    "CheckPlan": "checks",
    "CheckReport": "checks",
    "TextEnv": "base",
    "TextVectorEnv": "vector",
    "check_env": "checks",
    "make_vec": "vector",
}


def __getattr__(name: str) -> object:
    if name not in _FILE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_FILE[name]}", __name__), name)


gymnasium_ids.watch()

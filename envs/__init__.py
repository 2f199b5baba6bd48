"""Text environments: one contract, versioned names, worlds in files of their own."""

from .base import TextEnv
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
from .registry import card, list_envs, make, option_names, register
from .types import EnvCard, Options, Policy, Reply, Task

__all__ = [
    "ALFWORLD",
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
    "TextEnv",
    "UnknownEnv",
    "UnknownTask",
    "Unsupported",
    "card",
    "list_envs",
    "make",
    "option_names",
    "register",
]

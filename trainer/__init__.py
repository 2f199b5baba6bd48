"""Training: a typed configuration, a learner that trains every sampled token once, one loop.

    config = load_config("quickstart", ["iterations=2"])
    run = train(config, LineProgress())

Names load what they need on first use: reading a configuration costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .config import Config
from .errors import (
    CheckpointError,
    ConfigError,
    Interrupted,
    LearnerError,
    RunExists,
    TooManyFailures,
)
from .progress import LineProgress, Progress, SilentProgress
from .recipe import dump_config, load_config, recipe_names
from .rundir import RunDir, open_run
from .score import Score, wilson

if TYPE_CHECKING:
    from .evaluation import EvalOptions, EvalReport, evaluate
    from .loop import resume, train

__all__ = [
    "CheckpointError",
    "Config",
    "ConfigError",
    "EvalOptions",
    "EvalReport",
    "Interrupted",
    "LearnerError",
    "LineProgress",
    "Progress",
    "RunDir",
    "RunExists",
    "Score",
    "SilentProgress",
    "TooManyFailures",
    "dump_config",
    "evaluate",
    "load_config",
    "open_run",
    "recipe_names",
    "resume",
    "train",
    "wilson",
]

_LATE = {
    "EvalOptions": "evaluation",
    "EvalReport": "evaluation",
    "evaluate": "evaluation",
    "resume": "loop",
    "train": "loop",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATE[name]}", __name__), name)

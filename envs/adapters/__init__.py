"""Doors to other gyms: theirs become environments of ours, ours take the form they want.

    env = gigym.wrap(any_gymnasium_text_env)
    GRPOTrainer(environment_factory=trl_environment("ALFWorld-v0"), ...)
    skyrl_gym.register("alfworld", entry_point=skyrl_environment("ALFWorld-v0"))

Nothing of another gym is imported before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .skyrl import skyrl_environment
    from .trl import trl_environment
    from .wrapped import WrappedEnv, wrap

__all__ = ["WrappedEnv", "skyrl_environment", "trl_environment", "wrap"]

_FILE = {
    "WrappedEnv": "wrapped",
    "skyrl_environment": "skyrl",
    "trl_environment": "trl",
    "wrap": "wrapped",
}


def __getattr__(name: str) -> object:
    if name not in _FILE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_FILE[name]}", __name__), name)

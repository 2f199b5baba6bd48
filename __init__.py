"""gigym: text environments and GiGPO training for language agents.

This module is a lazy facade: importing it costs nothing, each public name loads its room on
first use. `GigymError` is the root of every error the package raises on purpose.
"""

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .envs import check_env, list_envs, make, make_aec, make_parallel, make_vec, register
    from .envs.adapters import wrap
    from .envs.connect import connect
    from .envs.tasks import tasks
    from .grouping import Group, Steps, Trajectory, Turn, estimate

__all__ = [
    "GigymError",
    "Group",
    "Steps",
    "Trajectory",
    "Turn",
    "__version__",
    "check_env",
    "connect",
    "estimate",
    "list_envs",
    "make",
    "make_aec",
    "make_parallel",
    "make_vec",
    "register",
    "tasks",
    "wrap",
]
__version__ = "0.0.1"

_ROOM = {
    "Group": "grouping",
    "Steps": "grouping",
    "Trajectory": "grouping",
    "Turn": "grouping",
    "check_env": "envs",
    "connect": "envs.connect",
    "estimate": "grouping",
    "list_envs": "envs",
    "make": "envs",
    "make_aec": "envs",
    "make_parallel": "envs",
    "make_vec": "envs",
    "register": "envs",
    "tasks": "envs.tasks",
    "wrap": "envs.adapters",
}


class GigymError(Exception):
    """Root of all errors raised on purpose; leaves also inherit the standard class they refine."""

    exit_code: ClassVar[int] = 70
    """What the command line exits with when this error ends it."""


def __getattr__(name: str) -> object:
    if name not in _ROOM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ROOM[name]}", __name__), name)

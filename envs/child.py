"""What a process with environments in it does with its pipes and its parent, and is told by it."""

import os
import sys
import threading
import time
from typing import IO, Any, cast

from .types import EnvCard

_WATCH_S = 1.0


def own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes on stdin and stdout, out of the reach of environments.

    What environments print goes to stderr, and what they read from stdin is empty.
    """
    told, said = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdin, sys.stdout = open(os.devnull, encoding="utf-8"), sys.stderr  # noqa: SIM115
    return told, said


def end_with_parent() -> None:
    """End at once when the parent is gone, even in the middle of an environment's answer."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def python_path() -> str:
    """Import paths of this process, so that a worker finds what was found here."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)


def card_of(tree: dict[str, Any]) -> EnvCard:
    """A card from its JSON form."""
    fixed: dict[str, Any] = {
        name: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for name, value in tree.items()
    }
    return EnvCard(**fixed)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(0)

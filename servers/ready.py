"""The one line a server process says on stdout: where it answers, or why it does not."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

from .. import GigymError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A server that answers."""

    url: str
    pid: int
    boot: str
    """Changes with every start; the header X-Gigym-Boot of every answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFailure:
    """Why a server does not answer."""

    kind: str
    """Name of the error's class."""
    message: str
    exit_code: int


Announce: TypeAlias = Callable[[Ready], None]


def print_ready(ready: Ready) -> None:
    """Say it on stdout."""
    print(ready_line(ready), flush=True)


def ready_line(ready: Ready) -> str:
    """`{"event":"ready",...}`."""
    return json.dumps({"event": "ready", **asdict(ready)})


def failure_line(error: GigymError) -> str:
    """`{"event":"failed",...}`."""
    failure = StartFailure(kind=type(error).__name__, message=str(error), exit_code=error.exit_code)
    return json.dumps({"event": "failed", **asdict(failure)})


def read_line(line: bytes) -> Ready | StartFailure | None:
    """What a line says; None for one that is not ours."""
    try:
        tree = json.loads(line)
        event = tree.pop("event")
        if event == "ready":
            return Ready(**tree)
        return StartFailure(**tree) if event == "failed" else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None

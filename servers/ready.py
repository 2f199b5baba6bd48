"""The one line a server process says on stdout: where it answers, or why it does not."""

import json
import shlex
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
    token_file: str | None = None
    """File of the token that clients must send."""
    curl: str = ""
    """A line for a shell that leases a session here."""


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


def curl_line(url: str, env: str, token: str | None) -> str:
    """A line for a shell that leases a session; `token` is a shell's word for it, if one is needed.

    A URL `unix:PATH` is reached through that socket.
    """
    words = ["curl", "-sS"]
    if url.startswith("unix:"):
        words += ["--unix-socket", shlex.quote(url.removeprefix("unix:"))]
        url = "http://localhost"
    words.append(shlex.quote(f"{url}/v1/sessions"))
    if token is not None:
        words.append(f'-H "Authorization: Bearer {token}"')
    body = shlex.quote(json.dumps({"env": env}))
    return " ".join([*words, "-H 'Content-Type: application/json'", "-d", body])


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

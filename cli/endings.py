"""How a command ends: every error becomes one line on stderr and a documented exit code.

    0  done                            4  a server is unreachable or broke the protocol
    1  ran, the finding is negative    5  damaged data
    2  wrong usage or configuration    7  the environment's code raised
    3  an optional part is missing    70  a bug; the crash file is named
                                     130  interrupted

With `--json` the error is one JSON object on stdout: `{"error": {"code", "message"}}`.
"""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import typer

from .. import GigymError
from .text import clean

P = ParamSpec("P")
T = TypeVar("T")


class UsageMistake(GigymError, ValueError):
    """The words of the command line do not fit together."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the command was called, as far as errors care."""

    words: tuple[str, ...]
    debug: bool
    """Let exceptions through with their tracebacks."""
    as_json: bool


def guarded(command: Callable[P, T], manner: Manner) -> Callable[P, T]:
    """The command, with its errors turned into `SystemExit`."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if manner.debug:
                raise
            end(error, manner)

    return wrapped


def end(error: BaseException, manner: Manner) -> NoReturn:
    """Say what happened and exit."""
    code, name, message = _verdict(error, manner)
    if manner.as_json:
        print(json.dumps({"error": {"code": name, "message": message}}))
    else:
        prefix = "" if isinstance(error, KeyboardInterrupt) else "error: "
        print(f"{prefix}{clean(message)}", file=sys.stderr)
    raise SystemExit(code)


def _verdict(error: BaseException, manner: Manner) -> tuple[int, str, str]:
    if isinstance(error, GigymError):
        return error.exit_code, getattr(error, "code", _screaming(type(error))), str(error)
    if isinstance(error, KeyboardInterrupt):
        return 130, "INTERRUPTED", "interrupted"
    if isinstance(error, OSError) and error.filename is not None:
        return 2, "FILE_ERROR", f"{error.filename}: {error.strerror}"
    from .crash import write_crash

    crash = write_crash(error, manner.words)
    cause = f"{type(error).__name__}: {error}".splitlines()[0]
    return 70, "BUG", f"a bug in gigym: {cause}; please report it with the file {crash}"


def _screaming(kind: type) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).upper()

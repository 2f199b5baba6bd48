"""Walls itself in, runs the code, reports its error; whatever the code does stays in here.

Order: session, streams, scratch directory, capabilities, Landlock, limits, no new privileges,
seccomp. A layer that does not go up ends the process before the code has run.
"""

import contextlib
import io
import json
import os
import random
import resource
import sys
from types import ModuleType
from typing import NoReturn

from . import kernel, seccomp, view
from .plan import Plan, Request

__all__ = ["STARTED", "run"]

STARTED = b"R"
"""What the report begins with once the walls stand."""

_REPORT = 3
_NAME = "<code>"
_PROCESSES = 16
_HIGH = 4096


def run(request: Request, plan: Plan, places: tuple[int, ...], pipes: tuple[int, int]) -> NoReturn:
    """Run the code of `request` behind the walls of `plan`."""
    try:
        _place_streams(pipes)
        _wall_in(request, plan, places)
        os.write(_REPORT, STARTED)
        own = os.getpid()
        error = _execute(request.code)
        _flush()
        if os.getpid() == own:
            os.write(_REPORT, json.dumps(error).encode())
        os._exit(0)
    except BaseException as error:
        os.write(_REPORT, f"{type(error).__name__}: {error}"[:500].encode("utf-8", "replace"))
    finally:
        os._exit(1)


def _place_streams(pipes: tuple[int, int]) -> None:
    """Standard input at its end, output and error one pipe, the report on descriptor 3."""
    os.setsid()
    kernel.die_with_parent()
    empty, closed = os.pipe()
    high = [os.dup(descriptor) for descriptor in (empty, *pipes)]
    if min(high) <= _REPORT:
        raise OSError("descriptors 0 to 3 are not all taken in the zygote")
    os.close(closed)
    for source, target in zip((high[0], high[1], high[1], high[2]), range(4), strict=True):
        os.dup2(source, target, inheritable=False)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False), "utf-8", "replace")
    sys.stdout, sys.stderr = _writer(1), _writer(2)


def _writer(descriptor: int) -> io.TextIOWrapper:
    # each line leaves at once: what was printed before a run is killed is not lost
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True
    )


def _wall_in(request: Request, plan: Plan, places: tuple[int, ...]) -> None:
    writable = plan.namespaces and (plan.view or plan.bubblewrap)
    if writable:
        view.scratch(request.files * request.file_bytes, request.files)
    if writable and plan.bubblewrap:
        view.cover("/proc")
    kernel.drop_capabilities()
    ruleset = kernel.landlock_ruleset(plan.landlock) if plan.landlock else -1
    if plan.landlock:
        _open_up(ruleset, plan.landlock, places, writable)
    _limit(request)
    kernel.no_new_privileges()
    if plan.landlock:
        kernel.restrict_self(ruleset)
    os.closerange(_REPORT + 1, _HIGH)
    if plan.seccomp:
        seccomp.install(os.getpid())


def _open_up(ruleset: int, abi: int, places: tuple[int, ...], writable: bool) -> None:
    for place in places:
        kernel.allow_beneath(ruleset, place, abi)
    if writable:
        own = os.open(view.SCRATCH, os.O_PATH | os.O_DIRECTORY)
        kernel.allow_beneath(ruleset, own, abi, writable=True)


def _limit(request: Request) -> None:
    for kind, value in (
        (resource.RLIMIT_CPU, request.cpu_seconds),
        (resource.RLIMIT_AS, request.memory_bytes),
        (resource.RLIMIT_FSIZE, request.file_bytes),
        (resource.RLIMIT_NOFILE, request.descriptors),
        (resource.RLIMIT_NPROC, _PROCESSES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        ceiling = resource.getrlimit(kind)[1]
        kept = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        resource.setrlimit(kind, (kept, kept))


def _execute(code: str) -> str | None:
    """Run as a script; the last line of its traceback, or None where there is none."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    # the same code gives the same answer: an anchor of the state
    random.seed(0)
    try:
        exec(compile(code, _NAME, "exec"), module.__dict__)  # noqa: S102
    except SystemExit as left:
        return None if left.code in (None, 0) else _described(left)
    except BaseException as error:
        return _described(error)
    return None


def _described(error: BaseException) -> str:
    kind = type(error)
    known = kind.__module__ in ("builtins", "__main__")
    name = kind.__qualname__ if known else f"{kind.__module__}.{kind.__qualname__}"
    text, line = _text(error), _line(error)
    return name + (f": {text}" if text else "") + (f" (line {line})" if line else "")


def _text(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename == _NAME:
        return error.msg
    try:
        return str(error)
    except Exception:
        return "its text cannot be made"


def _line(error: BaseException) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == _NAME:
        return error.lineno
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == _NAME:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()

"""Finds a benchmark by name, runs it, and says where and on what it ran."""

import difflib
import importlib
import inspect
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import GigymError, __version__

BENCHES = {
    "credit": "credit",
    "decode": "decode",
    "envs": "envs",
    "grouping": "grouping",
    "import": "imports",
    "overload": "overload",
    "servers": "servers",
    "webshop": "webshop",
    "webshop-store": "webshop_store",
}
"""Name on the command line -> module of this room."""


class UnknownBench(GigymError, LookupError):
    """There is no benchmark of this name."""

    exit_code = 2


class BadBenchOption(GigymError, ValueError):
    """The benchmark does not take this option, or not this value."""

    exit_code = 2


def bench_names() -> tuple[str, ...]:
    """All benchmarks, in name order."""
    return tuple(sorted(BENCHES))


def run_bench(name: str, *, quick: bool, sessions: Sequence[int] = ()) -> dict[str, Any]:
    """Run one benchmark; the result is JSON data.

    `sessions` replaces the numbers of sessions of a benchmark of servers. Raises `UnknownBench`
    with the nearest name, and `BadBenchOption`.
    """
    if name not in BENCHES:
        near = difflib.get_close_matches(name, BENCHES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownBench(f"no benchmark {name!r}; {hint}there are: {', '.join(bench_names())}")
    module = importlib.import_module(f".{BENCHES[name]}", __package__)
    if not sessions:
        return {**module.run(quick=quick), "quick": quick, **circumstances()}
    if "sessions" not in inspect.signature(module.run).parameters:
        raise BadBenchOption(f"the benchmark {name} has no sessions to set; servers has")
    if min(sessions) < 1:
        raise BadBenchOption(f"expected at least one session, got {min(sessions)}")
    result = module.run(quick=quick, sessions=tuple(sessions))
    return {**result, "quick": quick, **circumstances()}


def circumstances() -> dict[str, Any]:
    """Date, version, commit, machine class and load: what a figure means nothing without."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "gigym": __version__,
        "commit": _commit(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count(),
            "python": platform.python_version(),
            "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        },
    }


def _commit() -> str | None:
    """Short commit of the checkout this file lies in, with `+` when it was changed since."""
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()

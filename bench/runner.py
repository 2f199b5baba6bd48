"""Finds a benchmark by name, runs it, and says where and on what it ran."""

import difflib
import importlib
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from .. import GigymError, __version__

BENCHES = {
    "credit": "credit",
    "decode": "decode",
    "envs": "envs",
    "grouping": "grouping",
    "import": "imports",
    "servers": "servers",
    "webshop": "webshop",
    "webshop-store": "webshop_store",
}
"""Name on the command line -> module of this room."""


class UnknownBench(GigymError, LookupError):
    """There is no benchmark of this name."""

    exit_code = 2


def bench_names() -> tuple[str, ...]:
    """All benchmarks, in name order."""
    return tuple(sorted(BENCHES))


def run_bench(name: str, *, quick: bool) -> dict[str, Any]:
    """Run one benchmark; the result is JSON data. Raises `UnknownBench` with the nearest name."""
    if name not in BENCHES:
        near = difflib.get_close_matches(name, BENCHES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownBench(f"no benchmark {name!r}; {hint}there are: {', '.join(bench_names())}")
    module = importlib.import_module(f".{BENCHES[name]}", __package__)
    return {**module.run(quick=quick), "quick": quick, **circumstances()}


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

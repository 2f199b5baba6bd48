"""What starting costs: imports and light commands against a bare interpreter, paired.

Each round starts a bare interpreter and every candidate once, in turn, so that a busy machine
slows both alike; a figure is the median of the differences within rounds. CPU milliseconds stand
beside wall ones, since they hardly depend on what else runs.
"""

import os
import statistics
import subprocess
import sys
import time
from typing import Any

_CANDIDATES = {
    "bare": ["-c", "pass"],
    "import gigym": ["-c", "import gigym"],
    "import gigym.cli": ["-c", "import gigym.cli"],
    "gigym --help": ["-m", "gigym.cli", "--help"],
    "gigym list": ["-m", "gigym.cli", "list", "--json"],
}


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds over a bare interpreter, for each candidate."""
    rounds = [_round() for _ in range(5 if quick else 25)]
    rows = [
        {
            "what": name,
            "over_bare_ms": _over_bare(rounds, name, 0),
            "over_bare_cpu_ms": _over_bare(rounds, name, 1),
            "bare_ms": round(statistics.median(each["bare"][0] for each in rounds), 1),
            "rounds": len(rounds),
        }
        for name in _CANDIDATES
        if name != "bare"
    ]
    return {"name": "import", "rows": rows, "notes": ["medians of paired differences"]}


def _over_bare(rounds: list[dict[str, tuple[float, float]]], name: str, clock: int) -> float:
    return round(statistics.median(r[name][clock] - r["bare"][clock] for r in rounds), 1)


def _round() -> dict[str, tuple[float, float]]:
    return {name: _milliseconds(words) for name, words in _CANDIDATES.items()}


def _milliseconds(words: list[str]) -> tuple[float, float]:
    """Wall and CPU time of one process."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, os.times()
    used = after.children_user - before.children_user
    used += after.children_system - before.children_system
    return 1000 * wall, 1000 * used

"""What starting costs: imports and light commands against a bare interpreter, paired.

Each round starts a bare interpreter and every candidate once, in turn, so that a busy machine
slows both alike; the figure is the median of the differences within rounds.
"""

import statistics
import subprocess
import sys
import time
from typing import Any

_CANDIDATES = {
    "import gigym": ["-c", "import gigym"],
    "import gigym.cli": ["-c", "import gigym.cli"],
    "gigym --help": ["-m", "gigym.cli", "--help"],
    "gigym list": ["-m", "gigym.cli", "list", "--json"],
}


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds over a bare interpreter, for each candidate."""
    rounds = [_round() for _ in range(5 if quick else 25)]
    bare = statistics.median(r["bare"] for r in rounds)
    rows = [
        {
            "what": name,
            "bare_ms": round(bare, 1),
            "over_bare_ms": round(statistics.median(r[name] - r["bare"] for r in rounds), 1),
            "rounds": len(rounds),
        }
        for name in _CANDIDATES
    ]
    return {"name": "import", "rows": rows, "notes": ["medians of paired differences"]}


def _round() -> dict[str, float]:
    spent = {name: _milliseconds(words) for name, words in _CANDIDATES.items()}
    return {"bare": _milliseconds(["-c", "pass"]), **spent}


def _milliseconds(words: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - began)

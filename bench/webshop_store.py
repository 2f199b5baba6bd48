"""The store of a shop: time and memory of building it, memory and speed of serving from it.

Builds a synthetic shop as a stream in one process, opens it in several others at once, each of
which searches and reads pages, and extrapolates to the 1.18 million products of WebShop. Memory is
what the kernel says: anonymous memory is a process's own; file pages are shared by all processes
and dropped when memory is short; the proportional share (PSS) counts shared pages once.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_FULL = 1_181_436
"""Products of WebShop's full catalogue."""
_SIZE, _QUICK_SIZE = 100_000, 1_200
_READERS = 3
_SEARCHES = 60
_MIB = 1 << 20
_SCORE_BYTES = 12
"""A search holds one score per product, and copies of those that are not zero."""
_COLUMNS = (
    "seconds",
    "cpu_seconds",
    "anonymous_mib",
    "rss_mib",
    "pss_mib",
    "disk_mib",
    "open_ms",
    "search_ms",
    "product_us",
)
"""Memory of a build is its peak."""


def run(*, quick: bool) -> dict[str, Any]:
    """Rows: the build, processes that serve at the same time, the extrapolation."""
    size = _QUICK_SIZE if quick else _SIZE
    room = Path(tempfile.mkdtemp(prefix="gigym-store-"))
    try:
        built = _child("_build", str(room / "shop"), str(size))
        disk = sum(path.stat().st_size for path in (room / "shop").iterdir())
        readers = _together("_serve", str(room / "shop"), 1 if quick else _READERS)
    finally:
        shutil.rmtree(room, ignore_errors=True)
    built["disk_mib"] = round(disk / _MIB, 1)
    rows = [
        _row(f"build {size:,} products", built),
        *(_row(f"serve, process {n} of {len(readers)}", r) for n, r in enumerate(readers, 1)),
        _row(f"{_FULL:,} products, extrapolated", _extrapolated(_FULL / size, built, readers[0])),
    ]
    notes = [
        "searches: instructions of goals, 50 results; products: read and unpacked by place",
        "extrapolated linearly in products; texts of WebShop are some five times longer, which "
        "goes into disk and seconds; the memory of a process that serves grows by its scores, "
        f"{_SCORE_BYTES} bytes per product",
    ]
    return {"name": "webshop-store", "rows": rows, "notes": notes}


def _row(case: str, told: dict[str, Any]) -> dict[str, Any]:
    """All rows have the same columns; what was not measured is None."""
    return {"case": case, **{name: told.get(name) for name in _COLUMNS}}


def _extrapolated(factor: float, built: dict[str, Any], served: dict[str, Any]) -> dict[str, Any]:
    idle, busy = built["idle_mib"], built["anonymous_mib"]
    return {
        "seconds": round(built["seconds"] * factor),
        "cpu_seconds": round(built["cpu_seconds"] * factor),
        "anonymous_mib": round(
            max(
                idle + (busy - idle) * factor, served["anonymous_mib"] + _FULL * _SCORE_BYTES / _MIB
            )
        ),
        "disk_mib": round(built["disk_mib"] * factor),
        "search_ms": round(served["search_ms"] * factor, 1),
    }


def _child(work: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        _command(work, *arguments), capture_output=True, text=True, check=True, timeout=3_600
    )
    return json.loads(done.stdout.splitlines()[-1])


def _together(work: str, folder: str, count: int) -> list[dict[str, Any]]:
    """Processes that serve at the same time; each measures itself when all have served."""
    crew = [
        subprocess.Popen(
            _command(work, folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    told: list[dict[str, Any]] = []
    try:
        for member in crew:
            assert member.stdout is not None
            member.stdout.readline()
        for member in crew:
            # each answers while the others still hold their pages
            assert member.stdin is not None and member.stdout is not None
            member.stdin.write("measure\n")
            member.stdin.flush()
            told.append(json.loads(member.stdout.readline()))
    finally:
        for member in crew:
            member.communicate(timeout=60)
    return told


def _command(work: str, *arguments: str) -> list[str]:
    code = f"import sys; from {__name__} import {work}; {work}(*sys.argv[1:])"
    return [sys.executable, "-c", code, *arguments]


def _build(folder: str, size: str) -> None:
    """In a process of its own: write the store, tell time and peaks."""
    from ..envs.webshop.convert import write_synthetic

    idle, peak = _memory()["anonymous_mib"], 0.0

    def watch(count: int) -> None:
        nonlocal peak
        peak = max(peak, _memory()["anonymous_mib"])

    begun, used = time.perf_counter(), time.process_time()
    write_synthetic(Path(folder), 0, int(size), watch)
    told = {
        "seconds": round(time.perf_counter() - begun, 1),
        "cpu_seconds": round(time.process_time() - used, 1),
        "idle_mib": idle,
        "anonymous_mib": peak,
        "rss_mib": _peak(),
    }
    print(json.dumps(told))


def _serve(folder: str) -> None:
    """In a process of its own: open, search, read, tell what it holds when asked."""
    from ..envs.webshop.store import open_store

    begun = time.perf_counter()
    shop = open_store(Path(folder))
    opened = time.perf_counter() - begun
    step = max(len(shop.goals) // _SEARCHES, 1)
    texts = [shop.goals[index].text for index in range(0, len(shop.goals), step)][:_SEARCHES]
    shop.search(texts[0])
    used = time.process_time()
    found = [shop.search(text) for text in texts]
    searched = (time.process_time() - used) / len(texts)
    places = list(dict.fromkeys(place for results in found for place in results[:10]))
    used = time.process_time()
    for place in places:
        shop.product(place)
    read = (time.process_time() - used) / len(places)
    print("served", flush=True)
    sys.stdin.readline()
    told = {
        "open_ms": round(1e3 * opened, 1),
        "search_ms": round(1e3 * searched, 2),
        "product_us": round(1e6 * read, 1),
        **_memory(),
    }
    print(json.dumps(told), flush=True)


def _memory() -> dict[str, float]:
    """MiB of this process; empty numbers where the system does not tell."""
    wanted = {"Pss:": "pss_mib", "Anonymous:": "anonymous_mib", "Rss:": "rss_mib"}
    told = dict.fromkeys(wanted.values(), 0.0)
    rollup = Path("/proc/self/smaps_rollup")
    for line in rollup.read_text().splitlines() if rollup.exists() else ():
        name, *rest = line.split()
        if name in wanted:
            told[wanted[name]] = round(int(rest[0]) / 1024, 1)
    return told


def _peak() -> float:
    import resource

    scale = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / _MIB, 1)

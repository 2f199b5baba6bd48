"""Random shopping: steps per CPU second, search time, and the memory of a shop and its sessions.

A walk searches for the goal's own words, outside the clock, and then clicks at random what the page
offers; `step` is Gymnasium's, so that every reply carries its text, keys and admissible actions.
Memory is measured in processes of their own. The real small catalogue is measured where
`$GIGYM_TEST_DATA` holds it.
"""

import itertools
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ..envs.base import ExpertKind
from ..envs.webshop import WebShopEnv

_GOALS = (
    "goals: 3,000 steps/s without search, step p50 0.3 ms, search 5 ms, 50 KB per session, "
    "150 MB for a process with 1,000 products"
)
_REPEATS = 3
_WALK = 12
_STARTS = 30


def run(*, quick: bool) -> dict[str, Any]:
    """One row per shop."""
    sessions = 200 if quick else 1_000
    rows = [
        {**_speed(name, options, quick), **_memory(options, sessions)}
        for name, options in _shops().items()
    ]
    notes = [
        f"CPU seconds, one core, median of {_REPEATS} runs; {_GOALS}",
        f"synthetic goals won by scripted customers: {_customers(20 if quick else 200)}",
    ]
    return {"name": "webshop", "rows": rows, "notes": notes}


def _customers(goals: int) -> str:
    """How many of the first goals each expert meets in full within the turns of an episode."""
    env = WebShopEnv()
    won = {"state": 0, "observation": 0}
    for kind, seed in itertools.product(won, range(goals)):
        customer, reply = env.expert(cast("ExpertKind", kind), seed), env.start(seed)
        while not reply.done:
            reply = env.answer(customer.act(reply))
        won[kind] += bool(reply.info["won"])
    return ", ".join(f"{kind} {count} of {goals}" for kind, count in won.items())


def speeds(*, quick: bool) -> list[dict[str, Any]]:
    """The rows without memory."""
    return [_speed(name, options, quick) for name, options in _shops().items()]


def _shops() -> dict[str, Mapping[str, Any]]:
    shops: dict[str, Mapping[str, Any]] = {"shop, synthetic": {}}
    data = Path(os.environ.get("GIGYM_TEST_DATA", "")) / "webshop"
    products, instructions = data / "products_1000.json.xz", data / "items_ins_v2_1000.json"
    if products.is_file() and instructions.is_file():
        shops["shop, real small set"] = {
            "products": str(products),
            "instructions": str(instructions),
        }
    return shops


def _speed(name: str, options: Mapping[str, Any], quick: bool) -> dict[str, Any]:
    steps = 5_000 if quick else 50_000
    before = time.process_time()
    env = WebShopEnv(**options, max_steps=_WALK + 1)
    env.shop.search("ready")
    opened = time.process_time() - before
    first, later = _starts(env), _starts(env)
    walks = [_walk(env, steps) for _ in range(_REPEATS)]
    rates = [steps / cpu for cpu, _ in walks]
    return {
        "games": f"{name}, {len(env.shop)} products",
        "measured": "environment, no search",
        "steps": steps,
        "steps_per_cpu_s": round(statistics.median(rates)),
        "slowest_run": round(min(rates)),
        "first_start_ms": round(first, 2),
        "later_start_ms": round(later, 2),
        "step_p50_ms": round(1000 * statistics.median(p50 for _, p50 in walks), 3),
        "search_ms": round(_search_ms(env), 3),
        "open_s": round(opened, 2),
    }


def _starts(env: WebShopEnv) -> float:
    """CPU milliseconds of one start, mean over the first goals."""
    before = time.process_time()
    for seed in range(_STARTS):
        env.start(seed)
    return 1000 * (time.process_time() - before) / _STARTS


def _walk(env: WebShopEnv, steps: int) -> tuple[float, float]:
    """CPU seconds of all timed steps, and the median wall time of one."""
    rng, seed, spent, walls = random.Random(0), 0, 0.0, list[float]()
    while len(walls) < steps:
        offered, seed = _opened(env, seed), seed + 1
        before = time.process_time()
        for _ in range(min(_WALK, steps - len(walls))):
            action = rng.choice(offered)
            started = time.perf_counter()
            *_, terminated, _, info = env.step(action)
            walls.append(time.perf_counter() - started)
            offered = [a for a in info["admissible_actions"] if a != "click[back to search]"]
            if terminated or not offered:
                break
        spent += time.process_time() - before
    return spent, statistics.median(walls)


def _opened(env: WebShopEnv, seed: int) -> list[str]:
    """Start an episode at the results for its goal."""
    _, info = env.reset(seed=seed)
    *_, info = env.step(f"search[{info['goal']}]")
    return [a for a in info["admissible_actions"] if a != "click[back to search]"]


def _search_ms(env: WebShopEnv) -> float:
    goals = env.shop.goals
    wishes = [goals[position].text for position in range(min(300, len(goals)))]
    before = time.process_time()
    for wish in wishes:
        env.shop.search(wish)
    return 1000 * (time.process_time() - before) / len(wishes)


def _memory(options: Mapping[str, Any], sessions: int) -> dict[str, float]:
    """Megabytes of a process with one shop, kilobytes of each further session in it."""
    code = (
        "import json, sys\n"
        "from gigym.bench.webshop import memory_report\n"
        "print(json.dumps(memory_report(json.loads(sys.argv[1]), int(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", code, json.dumps(dict(options)), str(sessions)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout)


def memory_report(options: Mapping[str, Any], sessions: int) -> dict[str, float]:
    """Open the shop in this process and fill it with sessions; call it in a fresh one."""
    _opened(WebShopEnv(**options), 0)
    process_mb = _peak_mb()
    tracemalloc.start()
    envs = [WebShopEnv(**options) for _ in range(sessions)]
    rng = random.Random(0)
    for seed, env in enumerate(envs):
        env.step(rng.choice(_opened(env, seed)))
    session_kb = tracemalloc.get_traced_memory()[0] / sessions / 1024
    return {"process_mb": round(process_mb, 1), "session_kb": round(session_kb, 1)}


def _peak_mb() -> float:
    """Peak resident memory; Linux's own counter, because the other one outlives an exec."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024

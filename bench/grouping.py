"""Speed of credit: from plain columns with 500-character keys to advantages, on one core.

CPU seconds of this process, best of some rounds: the time to build `Steps`, and `estimate` with
each estimator's defaults, diagnostics included. `growth` is the time at eight times the rows, as a
multiple; `x_gigpo` compares columns-to-advantages with gigpo's at the same size.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..grouping import Steps, estimate, estimator_names

_SIBLINGS, _TURNS, _STATES, _ACTIONS = 8, 50, 60, 4
_KEY_LENGTH = 500
_ROUNDS = 20
"""Of small sizes: until the allocator keeps what it was given, page faults cost as much again."""


def run(*, quick: bool) -> dict[str, Any]:
    """One row per size and estimator."""
    sizes = (16, 128) if quick else (16, 128, 1024, 2500)
    seconds = {size: _measure(size, _ROUNDS if size < 1024 else 2) for size in sizes}
    rows = [
        row
        for size, (num_rows, times) in seconds.items()
        for row in _rows(num_rows, times, seconds.get(size // 8, (0, {}))[1])
    ]
    notes = [
        f"{_SIBLINGS} siblings of {_TURNS} turns per task over {_STATES} states; each row's key is "
        f"its own string of {_KEY_LENGTH} characters",
        "bounds of the specification: 51,200 rows within 0.25 s, 1,000,000 within 6 s for gigpo, "
        "eightfold rows in at most tenfold time, every graph estimator at most 10 times gigpo",
    ]
    return {"name": "grouping", "rows": rows, "notes": notes}


def _measure(tasks: int, rounds: int) -> tuple[int, dict[str, float]]:
    """Rows, and CPU seconds of each stage."""
    columns = walk(tasks)
    steps = Steps.of(**columns)
    times = {"Steps.of": _best(lambda: Steps.of(**columns), rounds)}
    for name in estimator_names():
        times[name] = _best(lambda name=name: estimate(steps, name), rounds)
    return len(steps), times


def _rows(
    num_rows: int, times: dict[str, float], smaller: dict[str, float]
) -> list[dict[str, Any]]:
    build = times["Steps.of"]
    gigpo = build + times["gigpo"]
    return [
        {
            "rows": num_rows,
            "stage": name,
            "seconds": round(seconds, 4),
            "with_columns": round(seconds + build * (name != "Steps.of"), 4),
            "x_gigpo": round((seconds + build * (name != "Steps.of")) / gigpo, 2),
            "growth": round(seconds / smaller[name], 1) if smaller else None,
        }
        for name, seconds in times.items()
    ]


def walk(tasks: int) -> dict[str, Any]:
    """Random walks with loops over a few states per task; the last state wins."""
    draw = np.random.default_rng(0)
    siblings = tasks * _SIBLINGS
    task = np.repeat(np.arange(tasks), _SIBLINGS)
    then = draw.integers(0, _STATES, (tasks, _STATES, _ACTIONS))
    states = np.zeros((siblings, _TURNS + 1), np.int64)
    actions = draw.integers(0, _ACTIONS, (siblings, _TURNS))
    for t in range(_TURNS):
        states[:, t + 1] = then[task, states[:, t], actions[:, t]]
    won = states[:, -1] < _STATES // 2
    last = np.arange(_TURNS) == _TURNS - 1
    pad = "x" * (_KEY_LENGTH - 8)
    return {
        "task": np.repeat(task, _TURNS),
        "trajectory": np.repeat(np.arange(siblings), _TURNS),
        "step": np.tile(np.arange(_TURNS), siblings),
        "anchor": [f"{state:08d}{pad}" for state in states[:, :-1].ravel().tolist()],
        "action": actions.ravel(),
        "reward": (10.0 * (won[:, None] & last)).ravel(),
        "terminated": (won[:, None] & last).ravel(),
        "truncated": (~won[:, None] & last).ravel(),
    }


def _best(stage: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        began = time.process_time()
        stage()
        return time.process_time() - began

    return min(once() for _ in range(rounds))

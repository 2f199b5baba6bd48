"""Credit assignment: turns per second from columns to advantages, at the size of a real batch.

Sixteen groups of eight siblings that walk at random over shared states, long and short episodes
mixed; numpy on one core. Building the columns is timed apart from the estimators.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from ..grouping import Steps, estimate

_GROUPS, _SIBLINGS, _STATES = 16, 8, 60


def run(*, quick: bool) -> dict[str, Any]:
    """One row per stage."""
    rounds = 3 if quick else 15
    columns = _columns(turns=30)
    steps = Steps.of(**columns)
    stages: dict[str, Callable[[], object]] = {
        "Steps.of": lambda: Steps.of(**columns),
        "grpo": lambda: estimate(steps, "grpo"),
        "gigpo": lambda: estimate(steps, "gigpo", gamma=0.95, omega=1.0),
    }
    size = len(columns["reward"])
    rows = [
        {
            "stage": name,
            "turns": size,
            "ms": round(1000 * best, 2),
            "turns_per_s": round(size / best),
        }
        for name, best in ((name, _best(stage, rounds)) for name, stage in stages.items())
    ]
    notes = [f"best of {rounds} rounds, CPU seconds; {_GROUPS} groups of {_SIBLINGS} siblings"]
    return {"name": "credit", "rows": rows, "notes": notes}


def _columns(turns: int) -> dict[str, Any]:
    rng = random.Random(0)
    lengths = [rng.randint(turns // 3, turns) for _ in range(_GROUPS * _SIBLINGS)]
    index = [(episode, step) for episode, length in enumerate(lengths) for step in range(length)]
    won = {episode: rng.random() < 0.4 for episode in range(len(lengths))}
    return {
        "task": [episode // _SIBLINGS for episode, _ in index],
        "trajectory": [episode for episode, _ in index],
        "step": [step for _, step in index],
        "anchor": ["start" if step == 0 else f"s{rng.randrange(_STATES)}" for _, step in index],
        "reward": [10.0 * (won[e] and step == lengths[e] - 1) for e, step in index],
    }


def _best(stage: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        began = time.process_time()
        stage()
        return time.process_time() - began

    return min(once() for _ in range(rounds))

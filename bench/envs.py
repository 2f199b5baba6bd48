"""Random play: steps per CPU second of one core, with admissible actions and the goal check.

Every step lists all admissible actions, draws one and plays it; starting an episode is timed
apart. CPU seconds of this process are counted, so that a busy machine changes little. Official
games are played as well where `$GIGYM_TEST_DATA` holds them.
"""

import os
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..envs import TextEnv, make
from ..envs.types import JsonValue

_GOAL = "20,000 random steps per second and core"


def run(*, quick: bool) -> dict[str, Any]:
    """One row per environment and set of games."""
    steps = 20_000 if quick else 200_000
    rows = [_row(games, options, steps) for games, options in _sets().items()]
    notes = [f"CPU seconds, one core, admissible actions listed at every step; goal: {_GOAL}"]
    return {"name": "envs", "rows": rows, "notes": notes}


def _sets() -> dict[str, Mapping[str, JsonValue]]:
    sets: dict[str, Mapping[str, JsonValue]] = {
        "generated, standard": {"difficulty": "standard"},
        "generated, small": {"difficulty": "small"},
    }
    data = Path(os.environ.get("GIGYM_TEST_DATA", "")) / "alfworld" / "valid_seen.jsonl.xz"
    if data.is_file():
        sets["official, valid_seen"] = {"games": str(data)}
    return sets


def _row(games: str, options: Mapping[str, JsonValue], steps: int) -> dict[str, Any]:
    env = make("ALFWorld-v0", **options)
    _play(env, steps=1_000, first_seed=10_000)
    stepping, starting, episodes = _play(env, steps=steps, first_seed=0)
    return {
        "env": env.card.id,
        "games": games,
        "steps": steps,
        "steps_per_cpu_s": round(steps / stepping),
        "start_ms": round(1000 * starting / episodes, 2),
    }


def _play(env: TextEnv, *, steps: int, first_seed: int) -> tuple[float, float, int]:
    """CPU seconds of so many random steps, CPU seconds of the starts, number of starts."""
    rng = random.Random(first_seed)
    began, starting, seed = time.process_time(), 0.0, first_seed
    reply = None
    for _ in range(steps):
        if reply is None or reply.done:
            before = time.process_time()
            reply = env.start(seed)
            starting += time.process_time() - before
            seed += 1
        reply = env.answer(rng.choice(reply.admissible_actions or ("look",)))
    return time.process_time() - began - starting, starting, seed - first_seed

"""Random play: steps per CPU second of one core, with admissible actions and the goal check.

Every step lists all admissible actions, draws one and plays it. `environment` is what a rollout
sees: replies with state keys, starts timed apart; `engine` is the game alone, without state keys.
CPU seconds of this process are counted and the median of three runs is given, so that a busy
machine changes little. Official games are played where `$GIGYM_TEST_DATA` holds them.
"""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..envs.alfworld import ALFWorldEnv
from ..envs.alfworld.world import World
from . import webshop

_GOAL = "20,000 random steps per second and core"
_REPEATS = 3
_GAMES = 30
"""Games in turn; all are made before the clock starts."""

Play = Callable[[ALFWorldEnv, int], float]


def run(*, quick: bool) -> dict[str, Any]:
    """Two rows per set of games, and one per shop."""
    steps = 10_000 if quick else 100_000
    rows = [row for games, options in _sets().items() for row in _rows(games, options, steps)]
    rows += [{name: row[name] for name in rows[0]} for row in webshop.speeds(quick=quick)]
    notes = [
        f"CPU seconds, one core, median of {_REPEATS} runs; goal: {_GOAL}",
        "a shop's row takes no search, its goal is 3,000; more of it: gigym bench webshop",
    ]
    return {"name": "envs", "rows": rows, "notes": notes}


def _sets() -> dict[str, Mapping[str, Any]]:
    sets: dict[str, Mapping[str, Any]] = {
        "generated, standard": {"difficulty": "standard"},
        "generated, small": {"difficulty": "small"},
    }
    data = Path(os.environ.get("GIGYM_TEST_DATA", "")) / "alfworld" / "valid_seen.jsonl.xz"
    if data.is_file():
        sets["official, valid_seen"] = {"games": str(data)}
    return sets


def _rows(games: str, options: Mapping[str, Any], steps: int) -> Iterator[dict[str, Any]]:
    env = ALFWorldEnv(**options)
    first, again = _starts(env), _starts(env)
    for measured, play in _PLAYS.items():
        seconds = [play(env, steps) for _ in range(_REPEATS)]
        yield {
            "games": games,
            "measured": measured,
            "steps": steps,
            "steps_per_cpu_s": round(steps / statistics.median(seconds)),
            "slowest_run": round(steps / max(seconds)),
            "first_start_ms": round(first, 2),
            "later_start_ms": round(again, 2),
        }


def _starts(env: ALFWorldEnv) -> float:
    """CPU milliseconds of one start, mean over the games."""
    before = time.process_time()
    for seed in range(_GAMES):
        env.start(seed)
    return 1000 * (time.process_time() - before) / _GAMES


def _play_environment(env: ALFWorldEnv, steps: int) -> float:
    rng, seed, left, spent = random.Random(0), 0, steps, 0.0
    while left:
        reply, seed = env.start(seed % _GAMES), seed + 1
        before = time.process_time()
        while left and not reply.done:
            reply, left = env.answer(rng.choice(reply.admissible_actions or ("look",))), left - 1
        spent += time.process_time() - before
    return spent


def _play_engine(env: ALFWorldEnv, steps: int) -> float:
    rng, worlds = random.Random(0), list[World]()
    for seed in range(_GAMES):
        env.start(seed)
        worlds.append(World(env.world.game))
    before = time.process_time()
    for number in range(steps):
        world = worlds[number // 50 % _GAMES]
        world.apply(rng.choice(world.admissible()))
    return time.process_time() - before


_PLAYS: dict[str, Play] = {"environment": _play_environment, "engine": _play_engine}

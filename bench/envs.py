"""Random play: steps per CPU second of one core, with admissible actions and the goal check.

Every step lists all admissible actions, draws one and plays it. `engine` is the game alone, with
the goal check, without state keys; `environment` is what a rollout sees: replies with state keys;
`gigym.make` steps through Gymnasium's edge and reads every key of `info`. Starts are timed apart.
CPU seconds of this process are counted and the median of three runs is given, so that a busy
machine changes little. Official games are played where `$GIGYM_TEST_DATA` holds them. Where
TextWorld is installed, its own speed and ours with it are taken in turn, by the clock on the wall:
the median of a step, inverted.
"""

import gc
import importlib.util
import os
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from ..envs import TextEnv, make
from ..envs.alfworld import ALFWorldEnv, generate
from ..envs.alfworld.reference import game_text
from ..envs.alfworld.reference.process import Worker
from ..envs.alfworld.reference.session import WATCHED
from ..envs.alfworld.world import World
from . import webshop

_GOALS = {"engine": 20_000, "gigym.make": 5_000}
"""Random steps per second and core."""
_REPEATS = 3
_GAMES = 30
"""Games in turn; all are made before the clock starts."""

Play = Callable[[ALFWorldEnv, int], float]


def run(*, quick: bool) -> dict[str, Any]:
    """Two rows per set of games, and one per shop."""
    steps = 10_000 if quick else 100_000
    rows = [row for games, options in _sets().items() for row in _rows(games, options, steps)]
    rows += [{name: row.get(name, "") for name in rows[0]} for row in webshop.speeds(quick=quick)]
    if importlib.util.find_spec("textworld") is not None:
        blank = dict.fromkeys(rows[0], "")
        rows += [blank | row for row in _textworld(100 if quick else 500)]
    notes = [
        f"CPU seconds, one core, median of {_REPEATS} runs; later_start_ms is a reset in a loaded "
        "pack, goal 0.2; kb_per_env holds a game of its own, goal 100",
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
    kilobytes = _kilobytes(options)
    for measured, play in _PLAYS.items():
        seconds = [play(env, steps) for _ in range(_REPEATS)]
        yield {
            "games": games,
            "measured": measured,
            "steps": steps,
            "steps_per_cpu_s": round(steps / statistics.median(seconds)),
            "goal": _GOALS.get(measured, ""),
            "slowest_run": round(steps / max(seconds)),
            "first_start_ms": round(first, 2),
            "later_start_ms": round(again, 2),
            "kb_per_env": round(kilobytes),
        }


def _starts(env: ALFWorldEnv) -> float:
    """CPU milliseconds of one start, mean over the games."""
    before = time.process_time()
    for seed in range(_GAMES):
        env.start(seed)
    return 1000 * (time.process_time() - before) / _GAMES


def _kilobytes(options: Mapping[str, Any]) -> float:
    """What one more environment takes after ten steps, each on a game that no other plays."""
    envs = [make("ALFWorld-v0", **options) for _ in range(_GAMES)]
    envs[0].reset(seed=0)
    gc.collect()
    tracemalloc.start()
    for number, env in enumerate(envs, 1):
        env.reset(seed=1_000_000 + number)
        _wander(env, random.Random(number), 10)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / len(envs) / 1024


def _wander(env: TextEnv, rng: random.Random, steps: int) -> None:
    for number in range(steps):
        reply = env.answer(rng.choice(env.answer("look").admissible_actions or ("look",)))
        if reply.done:
            env.start(number)


def _textworld(steps: int) -> Iterator[dict[str, Any]]:
    """TextWorld as installed, and with what ours remembers between steps, on the same commands."""
    workers = {"TextWorld, stock": Worker(stock=True), 'engine="textworld"': Worker()}
    spent: dict[str, list[float]] = {name: [] for name in workers}
    rng, admissible = random.Random(0), list[str]()
    for number in range(steps):
        command = {"do": "step", "session": 0, "command": rng.choice(admissible or ["look"])}
        if number % 25 == 0:
            text = game_text(generate(number, difficulty="standard"), None)
            opening = {"do": "start", "session": 0, "game": text.tree(), "commands": []}
            command = {**opening, "watched": [*WATCHED]}
        for name, worker in workers.items():
            began = time.perf_counter()
            answer = worker.ask(command)
            spent[name] += [time.perf_counter() - began] * ("command" in command)
            admissible = sorted(map(str, cast("list[str]", answer["admissible"])))
    for name, worker in workers.items():
        worker.stop()
        row = {"games": "generated, standard", "measured": name, "steps": steps}
        yield {**row, "steps_per_cpu_s": round(1 / statistics.median(spent[name]))}


def _play_make(env: ALFWorldEnv, steps: int) -> float:
    rng, seed, left, spent = random.Random(0), 0, steps, 0.0
    while left:
        info, over, seed = env.reset(seed=seed % _GAMES)[1], False, seed + 1
        before = time.process_time()
        while left and not over:
            _, _, ended, cut, info = env.step(rng.choice(info["admissible_actions"]))
            over, left = ended or cut, left - 1
            for name in info:
                info[name]
        spent += time.process_time() - before
    return spent


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


_PLAYS: dict[str, Play] = {
    "engine": _play_engine,
    "environment": _play_environment,
    "gigym.make": _play_make,
}

"""Games without end: `generate` draws one from a seed, `rebuild` draws it again from its id.

Comes in: a seed, a split, the name of a difficulty. Goes out: a `PackRow`, the same bytes for the
same id in every process. Each game is won by the expert from its reset, which gives the
walkthrough; a draw that is not is drawn again. How a room is drawn stands in rooms.py, how it is
written in emission.py.
"""

import re
from dataclasses import replace
from functools import lru_cache
from itertools import count
from random import Random
from typing import cast

from ..errors import BadOption, UnknownTask
from .difficulty import DIFFICULTIES, GENERATOR_VERSION, Difficulty, difficulty_named
from .emission import problem_text, task_line
from .expert import solve
from .game import parse_problem
from .pack import PackRow
from .rooms import Goal, draw_room, held_out
from .tables import KINDS, Kind, tables

SPLITS = ("train", "test")
"""Train games come from even seeds of the generator, test games from odd ones; no room of a test
game has the receptacles of a train game's room (`held_out`)."""

_GAME_ID = re.compile(
    rf"{GENERATOR_VERSION}/(?P<difficulty>{'|'.join(DIFFICULTIES)})/(?P<split>{'|'.join(SPLITS)})"
    rf"/(?P<kind>{'|'.join(KINDS)})/(?P<seed>0|[1-9][0-9]{{0,18}})"
)


def generate(
    seed: int, *, split: str = "train", difficulty: str = "standard", kind: Kind | None = None
) -> PackRow:
    """The game of a seed. Without `kind` the seed picks the task type as well.

    Raises `BadOption` for a split or difficulty that does not exist or a negative seed.
    """
    knobs = difficulty_named(difficulty)
    kind = kind or task_kind(seed, balanced=knobs.balanced)
    name = game_id(seed, split=split, difficulty=difficulty, kind=kind)
    inner = 2 * seed + SPLITS.index(split)
    rng = Random(f"{GENERATOR_VERSION}:{difficulty}:{kind}:{inner}")
    return next(filter(None, (_draw_game(rng, name, kind, knobs) for _ in count())))


def game_id(
    seed: int, *, split: str = "train", difficulty: str = "standard", kind: Kind | None = None
) -> str:
    """The id of the game that `generate` makes of the same arguments. Raises `BadOption`."""
    knobs = difficulty_named(difficulty)
    if split not in SPLITS:
        raise BadOption(f"no split {split!r}; generated games have: {', '.join(SPLITS)}")
    if not 0 <= seed < 10**19:
        raise BadOption(f"seed must be between 0 and 10**19 - 1, got {seed}")
    kind = kind or task_kind(seed, balanced=knobs.balanced)
    return f"{GENERATOR_VERSION}/{difficulty}/{split}/{kind}/{seed}"


def rebuild(name: str) -> PackRow:
    """The generated game of this id. Raises `UnknownTask` for what no generator made."""
    parts = _GAME_ID.fullmatch(name)
    if parts is None:
        raise UnknownTask(
            f"no generated game {name!r}; expected VERSION/DIFFICULTY/SPLIT/KIND/SEED, such as "
            f"{GENERATOR_VERSION}/small/train/clean/17"
        )
    return generate(
        int(parts["seed"]),
        split=parts["split"],
        difficulty=parts["difficulty"],
        kind=cast("Kind", parts["kind"]),
    )


def task_kind(seed: int, *, balanced: bool) -> Kind:
    """The task type of a seed: each once in every aligned six, or as often as official games."""
    if balanced:
        order = list(KINDS)
        Random(f"{GENERATOR_VERSION}:kinds:{seed // len(KINDS)}").shuffle(order)
        return order[seed % len(KINDS)]
    weights = [sum(_goal_weights(kind)[1]) for kind in KINDS]
    return Random(f"{GENERATOR_VERSION}:kind:{seed}").choices(KINDS, weights)[0]


def _draw_game(rng: Random, name: str, kind: Kind, knobs: Difficulty) -> PackRow | None:
    """One try at a game; None when the room misses a bound, is of the other split or is not won."""
    goals, weights = _goal_weights(kind)
    room = draw_room(rng, rng.choices(goals, weights)[0], knobs)
    if room is None or held_out(room) != ("/test/" in name):
        return None
    row = PackRow(
        id=name,
        task=task_line(rng, room.goal),
        pddl_problem=problem_text(re.sub(r"\W", "_", name), room),
        walkthrough=(),
    )
    walkthrough = solve(parse_problem(row))
    return replace(row, walkthrough=walkthrough) if walkthrough else None


@lru_cache(maxsize=len(KINDS))
def _goal_weights(kind: Kind) -> tuple[tuple[Goal, ...], tuple[int, ...]]:
    """Every goal of the official train games with the number of games that have it."""
    found = {
        Goal(kind=kind, room=room, thing=thing, target=target): games
        for room, targets in tables().goals[kind].items()
        for target, things in targets.items()
        for thing, games in things.items()
    }
    return tuple(found), tuple(found.values())

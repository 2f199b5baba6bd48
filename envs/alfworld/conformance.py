"""Both engines side by side: the same games, the same commands, every answer compared.

Each game is played twice from its reset: along its walkthrough and on at random beyond the goal,
then at random, with every fourth command spoilt (oddities.py). Texts, admissible commands, verdicts
and state keys must be equal; play of a game ends with its first difference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from .difficulty import DIFFICULTIES
from .engines import Opener, open_engine
from .generator import game_id
from .oddities import wander
from .sources import Source, open_source
from .tables import KINDS
from .traces import Difference, answer_of
from .world import Running

STEPS_AFTER = 6
"""Random commands beyond the goal of a walkthrough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of one game."""

    game: str
    task_type: str
    steps: int
    difference: Difference | None
    """The first one; None where both engines answered alike to the end."""


def compare_engines(
    games: str = "", *, split: str | None = None, count: int = 24, seed: int = 0, steps: int = 25
) -> Iterator[Compared]:
    """Play `count` games in both engines; without `games` of every difficulty and task type.

    Raises `MissingExtra` without TextWorld, `EngineFailed` when it fails.
    """
    source = open_source(games, split, "standard")
    engines = open_engine("native"), open_engine("textworld")
    for name in _chosen(source, count, seed):
        yield _compare_on(source, name, engines, Random(f"conformance:{seed}:{name}"), steps)


def _compare_on(
    source: Source, name: str, engines: tuple[Opener, Opener], rng: Random, steps: int
) -> Compared:
    game, played, found = source.named(name), 0, None
    plans = (("walkthrough", game.walkthrough, STEPS_AFTER), ("random", (), steps))
    for number, (kind, first, more) in enumerate(plans):
        native, reference = (begin(game, lambda: source.held(name)) for begin in engines)
        taken, found = _play((native, reference), f"{number} {kind}", (first, more), rng)
        played += taken
        if found is not None:
            break
    kind = game.aim.kind if game.aim else "other"
    return Compared(game=name, task_type=kind, steps=played, difference=found)


def _chosen(source: Source, count: int, seed: int) -> Iterator[str]:
    total = source.count(source.split)
    for number in range(count if total is None else min(count, total)):
        if total is None:
            level = list(DIFFICULTIES)[number // len(KINDS) % len(DIFFICULTIES)]
            kind = KINDS[number % len(KINDS)]
            yield game_id(seed + number, difficulty=level, kind=kind)
        else:
            yield source.id_of(seed + number * total // min(count, total), source.split)


def _play(
    pair: tuple[Running, Running], segment: str, plan: tuple[Sequence[str], int], rng: Random
) -> tuple[int, Difference | None]:
    """Commands played, and the first difference. The reference engine says what is expected."""
    (native, reference), (first, more) = pair, plan
    found = _compare(pair, segment, 0, None)
    for number in range(len(first) + more):
        if found is not None:
            return number, found
        if number < len(first):
            command = first[number]
        else:
            command = wander(reference.admissible(), rng, number)
        found = _compare((native, reference), segment, number + 1, command)
    return len(first) + more, found


def _compare(
    pair: tuple[Running, Running], segment: str, step: int, command: str | None
) -> Difference | None:
    got, expected = (
        answer_of(world, world.intro() if command is None else world.apply(command))
        for world in pair
    )
    for field, value in expected.items():
        if got[field] != value:
            return Difference(
                game=pair[0].game.id,
                segment=segment,
                step=step,
                action=command,
                field=field,
                expected=value,
                got=got[field],
            )
    return None

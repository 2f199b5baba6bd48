"""Recorded play against ours: `replay_traces` plays a file of traces and tells what differs.

A trace file is `.jsonl` or `.jsonl.xz` with one game per line: `id`, `segments`, and for games that
are in no pack `task`, `pddl_problem` and `walkthrough`. A segment starts with a reset: `reset`
{`obs`, `admissible`, `won`}, `steps` [{`action`, `obs`, `admissible`, `won`}]; `done`, `score` and
`state_key` are compared where they were recorded, other keys are not looked at.
"""

import json
import lzma
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..errors import GameFileError
from .engines import open_engine
from .game import Game, parse_problem
from .pack import PackRow
from .sources import Held, Source, open_source
from .world import Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One answer that is not the expected one."""

    game: str
    segment: str
    """Number and kind of the segment, such as `2 random`."""
    step: int
    """Number of the command in its segment; 0 is the reset."""
    action: str | None
    """The command; None for the reset."""
    field: str
    """What differs: `obs`, `admissible`, `won`, `state_key`, ..."""
    expected: object
    got: object

    def __str__(self) -> str:
        command = "the reset" if self.action is None else f"{self.action!r:.200}"
        return (
            f"game {self.game}, segment {self.segment}, step {self.step}, {command}: {self.field}\n"
            f"  expected {self.expected!r}\n  got      {self.got!r}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of playing a trace file."""

    games: int
    steps: int
    """Commands played; resets are compared as well and not counted."""
    differences: tuple[Difference, ...]


def replay_traces(
    path: str | os.PathLike[str], games: str | os.PathLike[str] = "", *, engine: str = "native"
) -> Replay:
    """Play every trace of a file and compare every answer.

    `games` is the pack, folder or zip of traces that do not hold their game. Raises `UnknownTask`
    for a game that is not there, `GameFileError` for a damaged file.
    """
    begin, fallback = open_engine(engine), open_source(os.fspath(games), None, "standard")
    count = steps = 0
    found: list[Difference] = []
    for trace in _lines(Path(path)):
        count += 1
        game, held = _game(trace, Path(path), fallback)
        for number, segment in enumerate(trace["segments"]):
            steps += len(segment["steps"])
            found += _replay(begin(game, held), segment, number)
    return Replay(games=count, steps=steps, differences=tuple(found))


def answer_of(world: Running, text: str) -> dict[str, object]:
    """All that a world answered, under the names of traces."""
    return {
        "obs": text,
        "admissible": list(world.admissible()),
        "won": world.won,
        "done": world.won,
        "score": int(world.won),
        "state_key": world.state_key(),
    }


def _game(
    trace: Mapping[str, Any], path: Path, fallback: Source
) -> tuple[Game, Callable[[], Held]]:
    """The game of a trace, and where its text is: in the trace, or else in the source."""
    if "pddl_problem" not in trace:
        name = trace["id"]
        return fallback.named(name), lambda: fallback.held(name)
    row = PackRow(
        id=trace["id"],
        task=trace["task"],
        pddl_problem=trace["pddl_problem"],
        walkthrough=tuple(trace["walkthrough"]),
    )
    return parse_problem(row), lambda: (row, path)


def _replay(world: Running, segment: Mapping[str, Any], number: int) -> Iterator[Difference]:
    place = f"{number} {segment.get('kind', '')}".strip()
    for step, seen in enumerate((segment["reset"], *segment["steps"])):
        action = seen.get("action") if step else None
        text = world.intro() if action is None else world.apply(action)
        for field, got in answer_of(world, text).items():
            if field in seen and seen[field] != got:
                yield Difference(
                    game=world.game.id,
                    segment=place,
                    step=step,
                    action=action,
                    field=field,
                    expected=seen[field],
                    got=got,
                )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = lzma.open if path.suffix == ".xz" else open
    number = 0
    try:
        with opened(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):  # noqa: B007  told when a line is torn
                trace = json.loads(line)
                if not isinstance(trace, dict) or not {"id", "segments"} <= trace.keys():
                    raise ValueError("expected an object with the keys id and segments")
                yield cast("dict[str, Any]", trace)
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise GameFileError(
            f"{path}, line {number}: not a readable file of traces: {error}"
        ) from None

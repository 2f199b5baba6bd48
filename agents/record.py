"""Files of episodes, one JSON line each: written whole after a rollout, read with care."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..grouping.types import Credit, Group
from .errors import RecordError
from .lines import EpisodeRecord, Origin, TurnCredit, episode_line, read_line

__all__ = [
    "EpisodeFile",
    "EpisodeRecord",
    "Origin",
    "TurnCredit",
    "episode_line",
    "read_episodes",
    "read_line",
    "write_episodes",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeFile:
    """What a file of episodes holds."""

    episodes: tuple[EpisodeRecord, ...]
    torn: bool
    """The last line was cut off, as by a crash, and left out."""


def write_episodes(
    path: Path, groups: Iterable[Group], origin: Origin, credit: Credit | None = None
) -> None:
    """Write all episodes of a rollout, failures included, and put the file in place at once.

    Rows of `credit` are those of `Steps.from_groups`: group, trajectory, turn, failures left out.
    """
    partial = path.with_name(f".{path.name}.tmp")
    with partial.open("w", encoding="ascii", newline="\n") as file:
        for record in _records(groups, origin, credit):
            file.write(episode_line(record) + "\n")
    os.replace(partial, path)


def read_episodes(path: Path) -> EpisodeFile:
    """All episodes of a file. Raises `RecordError` for a line that is no episode, save the last."""
    with path.open(encoding="utf-8", newline="\n") as file:
        lines = file.read().split("\n")
    whole, rest = lines[:-1], lines[-1]
    episodes: list[EpisodeRecord] = []
    for number, line in enumerate(whole, start=1):
        try:
            episodes.append(read_line(line))
        except RecordError as error:
            raise RecordError(f"{path}:{number}: {error}") from error
    return EpisodeFile(episodes=tuple(episodes), torn=bool(rest))


def _records(
    groups: Iterable[Group], origin: Origin, credit: Credit | None
) -> Iterator[EpisodeRecord]:
    row = 0
    for index, group in enumerate(groups):
        for episode in group.trajectories:
            rows = range(row, row + len(episode.turns))
            row = rows.stop
            given = () if credit is None else tuple(_credit_at(credit, i) for i in rows)
            yield EpisodeRecord(origin=origin, group=index, trajectory=episode, credit=given)
        for episode in group.failures:
            yield EpisodeRecord(origin=origin, group=index, trajectory=episode)


def _credit_at(credit: Credit, row: int) -> TurnCredit:
    return TurnCredit(
        returns=float(credit.returns[row]),
        episode=float(credit.episode[row]),
        step=float(credit.step[row]),
        advantage=float(credit.advantage[row]),
    )

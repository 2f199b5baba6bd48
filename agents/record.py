"""Files of episodes, one JSON line each: written whole after a rollout, read with care."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..grouping.types import Credit, Group, Trajectory
from .errors import RecordError
from .lines import EpisodeRecord, Source, TurnCredit, episode_line, read_line

__all__ = [
    "EpisodeFile",
    "EpisodeRecord",
    "Source",
    "TurnCredit",
    "episode_line",
    "read_episodes",
    "read_line",
    "write_episodes",
]

_UNKNOWN = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeFile:
    """What a file of episodes holds."""

    episodes: tuple[EpisodeRecord, ...]
    torn: bool
    """The last line was cut off, as by a crash, and left out."""


def write_episodes(
    path: Path,
    groups: Iterable[Group],
    credit: Credit | None = None,
    *,
    step: int = 0,
    source: Source = _UNKNOWN,
) -> None:
    """Write the episodes of iteration `step`, failures included; the file appears whole.

    Rows of `credit` are those of `Steps.from_groups`: group, trajectory, turn, failures left out.
    """
    partial = path.with_name(f".{path.name}.tmp")
    with partial.open("w", encoding="ascii", newline="\n") as file:
        for group, episode, given in _episodes(groups, credit):
            record = EpisodeRecord(
                source=source, step=step, group=group, trajectory=episode, credit=given
            )
            file.write(episode_line(record) + "\n")
    # Readers of a running training find the whole file or none.
    os.replace(partial, path)


def read_episodes(path: Path) -> EpisodeFile:
    """All episodes of a file. Raises `RecordError` for a line that is no episode, save the last."""
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise RecordError(
            f"{path}: not a file of episodes: expected UTF-8, got byte "
            f"{error.object[error.start]:#x} at {error.start}"
        ) from None
    whole, rest = lines[:-1], lines[-1]
    episodes: list[EpisodeRecord] = []
    for number, line in enumerate(whole, start=1):
        try:
            episodes.append(read_line(line))
        except RecordError as error:
            raise RecordError(f"{path}:{number}: {error}") from error
    return EpisodeFile(episodes=tuple(episodes), torn=bool(rest))


def _episodes(
    groups: Iterable[Group], credit: Credit | None
) -> Iterator[tuple[int, Trajectory, tuple[TurnCredit, ...]]]:
    row = 0
    for index, group in enumerate(groups):
        for episode in group.trajectories:
            rows = range(row, row + len(episode.turns))
            row = rows.stop
            yield index, episode, _credits(credit, rows)
        for episode in group.failures:
            yield index, episode, ()


def _credits(credit: Credit | None, rows: range) -> tuple[TurnCredit, ...]:
    if credit is None:
        return ()
    return tuple(
        TurnCredit(
            returns=float(credit.returns[row]),
            episode=float(credit.episode[row]),
            step=float(credit.step[row]),
            advantage=float(credit.advantage[row]),
        )
        for row in rows
    )

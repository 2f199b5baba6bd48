"""Data sets of the user's, by path: JSON lines, parquet files, folders that `datasets` saved.

A file is one part. A folder has parts named by split: `train.jsonl`, `test.parquet`, or what
`save_to_disk` of Hugging Face `datasets` wrote. Parquet and Arrow need the extra `data`.
"""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import cast

from ..errors import BadOption, GameFileError, UnknownTask
from .columns import arrow_rows, parquet_rows
from .rows import problem_of
from .types import Problem

_SUFFIXES = (".jsonl", ".json", ".parquet")


class ProblemSet:
    """The problems of one file, in its order and by id."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        self._index = {problem.id: i for i, problem in enumerate(self.problems)}
        if not self.problems:
            raise GameFileError(f"{name}: holds no problems")
        if len(self._index) < len(self.problems):
            twice = next(p.id for i, p in enumerate(self.problems) if self._index[p.id] != i)
            raise GameFileError(f"{name}: the id {twice!r} is given twice")

    def __len__(self) -> int:
        return len(self.problems)

    def named(self, problem_id: str) -> Problem:
        """The problem with this id. Raises `UnknownTask`."""
        if problem_id not in self._index:
            raise UnknownTask(
                f"no problem {problem_id!r:.80} in {self.name}, which holds {len(self)} problems; "
                f"the first is {self.problems[0].id!r}"
            )
        return self.problems[self._index[problem_id]]


def read_problems(path: str, split: str) -> ProblemSet:
    """The problems of a file, or of a folder's part named `split`."""
    part = _part(Path(path), split)
    files = (part, *sorted(part.iterdir())) if part.is_dir() else (part,)
    marks = tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return _read(part, marks)


def _part(path: Path, split: str) -> Path:
    if path.is_file():
        if split != "train":
            raise BadOption(
                f"{path} is one file, so it has no split {split!r}; leave out the option split, or "
                f"give a folder that holds train.jsonl and {split}.jsonl"
            )
        return path
    if not path.is_dir():
        raise GameFileError(f"no data set at {path}; give a .jsonl or .parquet file, or a folder")
    if (path / "state.json").is_file() and split == "train":
        return path
    candidates = [path / f"{split}{suffix}" for suffix in _SUFFIXES] + [path / split]
    for candidate in candidates:
        if candidate.is_file() or (candidate / "state.json").is_file():
            return candidate
    held = ", ".join(sorted(entry.name for entry in path.iterdir())[:10]) or "nothing"
    raise GameFileError(
        f"{path} has no split {split!r}; expected {split}.jsonl, {split}.parquet or a folder "
        f"{split}/ that datasets saved; it holds: {held}"
    )


@lru_cache(maxsize=8)
def _read(part: Path, marks: tuple[tuple[str, int, int], ...]) -> ProblemSet:
    """Read once per content; `marks` tell when a file has changed."""
    rows = _rows(part)
    stem = part.stem
    found = (problem_of(row, place, f"{stem}/{number}") for number, place, row in rows)
    return ProblemSet(str(part), found)


def _rows(part: Path) -> Iterator[tuple[int, str, object]]:
    """Number, place and content of each row."""
    if part.is_dir() or part.suffix == ".parquet":
        rows = arrow_rows(part) if part.is_dir() else parquet_rows(part)
        return ((i, f"{part}: row {i}", row) for i, row in enumerate(rows))
    return _json_rows(part)


def _json_rows(part: Path) -> Iterator[tuple[int, str, object]]:
    try:
        text = part.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GameFileError(f"{part}: cannot be read as UTF-8 text: {error}") from None
    if text.lstrip().startswith("["):
        listed = _parsed(text, str(part))
        for i, row in enumerate(cast("list[object]", listed)):
            yield i, f"{part}: item {i}", row
        return
    # Only line feeds end a row: JSON strings may hold other line separators.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{part}, line {number}"
            yield number, place, _parsed(line, place)


def _parsed(text: str, place: str) -> object:
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError) as error:
        raise GameFileError(f"{place}: not JSON: {error}") from None

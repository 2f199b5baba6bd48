"""Rows of parquet files and of the Arrow folders that Hugging Face `datasets` saves.

Read by pyarrow, which is imported here and nowhere else; `datasets` itself is not needed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from ..errors import GameFileError, need


def parquet_rows(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a parquet file. Raises `MissingExtra`, or `GameFileError` for a broken file."""
    need("pyarrow", "data")
    import pyarrow.parquet as parquet  # pyright: ignore[reportMissingTypeStubs]

    library = cast(Any, parquet)
    try:
        table = library.read_table(str(path))
    except Exception as error:
        raise _broken(path, error) from None
    yield from _listed(table)


def arrow_rows(folder: Path) -> Iterator[dict[str, object]]:
    """The rows of a folder with `state.json`, file after file."""
    need("pyarrow", "data")
    import pyarrow  # pyright: ignore[reportMissingTypeStubs]

    library = cast(Any, pyarrow)
    for file in _data_files(folder):
        try:
            with library.memory_map(str(file)) as source:
                table = library.ipc.open_stream(source).read_all()
        except Exception as error:
            raise _broken(file, error) from None
        yield from _listed(table)


def _data_files(folder: Path) -> list[Path]:
    try:
        state: Any = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        names = [str(entry["filename"]) for entry in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(folder / "state.json", error) from None
    # A state file from elsewhere must not lead out of its folder.
    return [folder / Path(name).name for name in names]


def _listed(table: object) -> Iterator[dict[str, object]]:
    """Rows batch by batch; a column that is null in a row is left out of it."""
    for batch in cast(Any, table).to_batches():
        for row in batch.to_pylist():
            yield {key: value for key, value in row.items() if value is not None}


def _broken(path: Path, error: Exception) -> GameFileError:
    return GameFileError(f"{path}: cannot be read: {type(error).__name__}: {error!s:.200}")

"""Official games and recorded traces, where they are to be had."""

import functools
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gigym.envs.alfworld import GameSet, read_games

OWN_TRACES = Path(__file__).parents[2] / "data" / "alfworld_traces.jsonl.xz"


@pytest.fixture(scope="session")
def official(test_data: Path) -> Callable[[str], GameSet]:
    """Reads the official games of a split, at most once."""
    return functools.partial(read_games, test_data / "alfworld")


@pytest.fixture(scope="session")
def own_traces() -> tuple[dict[str, Any], ...]:
    """Games of ours, recorded with the reference engine."""
    return tuple(read_lines(OWN_TRACES))


@pytest.fixture(scope="session")
def official_traces(test_data: Path) -> tuple[dict[str, Any], ...]:
    """Official games, recorded with the reference engine."""
    return tuple(read_lines(test_data / "alfworld" / "traces.jsonl.xz"))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        yield from map(json.loads, stream)

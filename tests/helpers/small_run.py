"""A training run that takes seconds, for tests that hold runs against each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gigym.trainer import RunDir, SilentProgress, load_config, train

SMALL = (
    "iterations=2",
    "warmstart.stages=[{episodes=60, noise=0.3}]",
    "rollout.tasks=2",
    "rollout.siblings=3",
    "rollout.pool=2",
    "eval.episodes=0",
    "env.max_steps=6",
    "env.difficulty=tiny",
    "model.hidden=32",
    "model.mlp=64",
    "engine.slots=8",
)


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Warm starts are kept in this folder, not in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIGYM_CACHE", str(folder))
        yield


def small_run(folder: Path, *more: str) -> RunDir:
    """Train, with further settings over the small ones."""
    return train(load_config("quickstart", [*SMALL, f"run.dir={folder}", *more]), SilentProgress())

"""The command line called in this process, and a small environment to call it with."""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gigym.cli import main
from gigym.envs import EnvCard, register, registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout as one JSON object."""
        return json.loads(self.out)


Gigym = Callable[..., Outcome]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where warm starts and crash files go; empty at first."""
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def _apart(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIGYM_CACHE", str(cache))


@pytest.fixture
def gigym(capsys: pytest.CaptureFixture[str]) -> Gigym:
    """Run a command line in an empty folder."""

    def call(*words: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Outcome(code=int(ended.value.code or 0), out=printed.out, err=printed.err)

    return call


@pytest.fixture(scope="session")
def corridor() -> Iterator[str]:
    """Id of a registered environment: a corridor whose far end wins."""
    path = Path(__file__).with_name("corridor.py")
    spec = importlib.util.spec_from_file_location("gigym_test_corridor", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gigym_test_corridor"] = module
    spec.loader.exec_module(module)
    card: EnvCard = module.Corridor.card
    register(card, "gigym_test_corridor:Corridor")
    yield card.id
    registry._ENTRIES.pop(card.id)

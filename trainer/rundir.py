"""A run directory: plain files, appended to or replaced as a whole.

config.toml   metrics.jsonl   episodes/step-NNNNNN.jsonl   checkpoints/step-NNNNNN/
run.json      baseline.json   summary.json   curve.png
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from .config import Config
from .errors import CheckpointError, ConfigError, RunExists
from .metrics import read_metrics
from .recipe import dump_config, load_config


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDir:
    """Paths of one run."""

    path: Path

    @property
    def metrics(self) -> Path:
        """One JSON line per iteration."""
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    def episodes(self, iteration: int) -> Path:
        """Trajectories of the iteration that ended as number `iteration`."""
        return self.path / "episodes" / f"step-{iteration:06d}.jsonl"

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a JSON file in one move."""
        self.write_text(name, json.dumps(content, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Replace a text file in one move."""
        partial = self.path / f".{name}.tmp"
        partial.write_text(text)
        os.replace(partial, self.path / name)

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the run, empty when it is not there."""
        path = self.path / name
        return json.loads(path.read_text()) if path.exists() else {}

    def write_config(self, config: Config) -> None:
        """Replace `config.toml`."""
        self.write_text("config.toml", dump_config(config))

    def set_status(self, status: str) -> None:
        """Note in `run.json` how the run stands: running, stopped, failed or done."""
        self.write_json("run.json", {**self.read_json("run.json"), "status": status})


def create_run(config: Config) -> RunDir:
    """Make the directory and write what the run is. Raises `RunExists` when it is taken."""
    name = f"{config.recipe}-{time.strftime('%Y%m%d-%H%M%S')}"
    path = Path(config.run.dir) if config.run.dir else _free(Path("runs") / name)
    if path.exists() and any(path.iterdir()):
        raise RunExists(
            f"run directory {path} is not empty; choose another run.dir, "
            f"or continue it with: gigym train --resume {path}"
        )
    (path / "episodes").mkdir(parents=True, exist_ok=True)
    run = RunDir(path=path)
    run.checkpoints.mkdir(exist_ok=True)
    run.write_config(config)
    run.write_json(
        "run.json",
        {
            "schema_version": 1,
            "id": path.name,
            "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "status": "running",
            "argv": sys.argv,
            "versions": {"gigym": __version__, "python": sys.version.split()[0]},
            "seed": config.seed,
            "pid": os.getpid(),
        },
    )
    return run


def open_run(path: str) -> tuple[RunDir, Config]:
    """An existing run and its configuration. Raises `ConfigError` when there is none."""
    folder = Path(path)
    if not (folder / "config.toml").is_file():
        raise ConfigError(f"{path} is no run directory: it has no config.toml")
    return RunDir(path=folder), load_config(str(folder / "config.toml"))


def rewind(run: RunDir, iteration: int) -> None:
    """Set aside what was written after the checkpoint of `iteration`; nothing is deleted."""
    folders = (run.path / "episodes", run.checkpoints)
    late = [p for f in folders for p in sorted(f.glob("step-*")) if _number(p) > iteration]
    written = run.metrics.read_text() if run.metrics.exists() else ""
    lines = (line for line in read_metrics(run.metrics) if line["step"] <= iteration)
    kept = "".join(json.dumps(line) + "\n" for line in lines)
    if not late and kept == written:
        return
    attempt = run.path / f"attempt-{1 + len(list(run.path.glob('attempt-*')))}"
    attempt.mkdir()
    for path in late:
        (attempt / path.parent.name).mkdir(exist_ok=True)
        path.rename(attempt / path.parent.name / path.name)
    (attempt / "metrics.jsonl").write_text(written)
    run.write_text("metrics.jsonl", kept)


def _number(path: Path) -> int:
    try:
        return int(path.stem.removeprefix("step-"))
    except ValueError:
        raise CheckpointError(f"{path}: expected a name such as step-000001.jsonl") from None


def _free(path: Path) -> Path:
    taken = [path] if path.exists() else []
    while taken and taken[-1].exists():
        taken.append(path.with_name(f"{path.name}-{len(taken) + 1}"))
    return taken[-1] if taken else path

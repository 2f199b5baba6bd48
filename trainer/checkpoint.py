"""Checkpoints that are whole or absent: written aside, synced, moved into place, then named.

    checkpoints/step-000030/  config.json, model.safetensors, tokenizer files: a Hugging Face folder
                              optimizer.safetensors, state.json, manifest.json
    checkpoints/latest        the name of the newest one, replaced as a whole

A crash at any moment leaves the previous checkpoint in force. Everything random in a run derives
from its seed and the iteration, so no generator needs saving.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from .errors import CheckpointError
from .weights import Actor

_SCHEMA = 1
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A verified checkpoint on disk."""

    path: Path
    iteration: int
    """Iterations completed."""


def save_checkpoint(
    folder: Path, iteration: int, actor: Actor, optimizer: torch.optim.Optimizer
) -> Checkpoint:
    """Write the state after `iteration` iterations and make it the latest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{iteration:06d}"
    partial = folder / f".tmp-{path.name}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    actor.save(partial)
    save_file(_flat_state(optimizer), partial / "optimizer.safetensors")
    state = {"schema_version": _SCHEMA, "iteration": iteration, "torch": torch.__version__}
    (partial / "state.json").write_text(json.dumps(state, indent=1) + "\n")
    _seal(partial)
    if path.exists():
        path.rename(folder / f".del-{path.name}")
    partial.rename(path)
    _sync(folder)
    _replace(folder / "latest", path.name)
    clean(folder)
    return Checkpoint(path=path, iteration=iteration)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` checkpoints; the first, step 0, always stays."""
    names = sorted(path.name for path in folder.glob("step-*"))
    for name in names[1:-keep] if names and _number(names[0]) == 0 else names[:-keep]:
        (folder / name).rename(folder / f".del-{name}")
    clean(folder)


def clean(folder: Path) -> None:
    """Remove what an interrupted save or deletion left; put back what a save had to move away."""
    latest = folder / "latest"
    name = latest.read_text().strip() if latest.is_file() else ""
    if name and not (folder / name).exists() and (folder / f".del-{name}").is_dir():
        (folder / f".del-{name}").rename(folder / name)
    for path in (*folder.glob(".tmp-*"), *folder.glob(".del-*")):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def find_checkpoint(folder: Path, iteration: int | None = None) -> Checkpoint | None:
    """The latest checkpoint, or that of an iteration, every file verified; None where none is.

    Raises `CheckpointError` when it is torn, or when the iteration asked for is not there.
    """
    if iteration is None:
        latest = folder / "latest"
        if not latest.is_file():
            return None
        name = latest.read_text().strip()
    else:
        name = f"step-{iteration:06d}"
    path = folder / name
    if not path.is_dir():
        there = ", ".join(sorted(p.name for p in folder.glob("step-*"))) or "none"
        raise CheckpointError(f"no checkpoint {name} in {folder}; there: {there}")
    _verify(path)
    return Checkpoint(path=path, iteration=_number(name))


def latest_iteration(folder: Path) -> int | None:
    """Iterations completed by the latest checkpoint, unverified; None where there is none."""
    latest = folder / "latest"
    return _number(latest.read_text().strip()) if latest.is_file() else None


def load_optimizer(checkpoint: Checkpoint, optimizer: torch.optim.Optimizer) -> None:
    """Put the saved moments back. Raises `CheckpointError` when they are of another model."""
    flat = load_file(checkpoint.path / "optimizer.safetensors")
    tree = optimizer.state_dict()
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in flat.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    held = len(tree["param_groups"][0]["params"])
    if state and max(state) >= held:
        raise CheckpointError(
            f"{checkpoint.path}: optimizer state of {max(state) + 1} tensors, the model has {held}"
        )
    optimizer.load_state_dict({**tree, "state": state})


def _flat_state(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{key}": torch.as_tensor(value).detach().contiguous()
        for index, entry in state.items()
        for key, value in entry.items()
    }


def _seal(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix(): _fingerprint(path) for path in _files(folder)}
    manifest = {"schema_version": _SCHEMA, "files": files}
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    inner = [path for path in folder.rglob("*") if path.is_dir()]
    for path in (*_files(folder), *inner, folder / _MANIFEST, folder):
        _sync(path)


def _verify(folder: Path) -> None:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        version, files = manifest["schema_version"], manifest["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder}: unreadable {_MANIFEST}: {error}") from None
    if version != _SCHEMA:
        raise CheckpointError(f"{folder}: checkpoint schema {version}, this gigym reads {_SCHEMA}")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file() or _fingerprint(path) != expected:
            raise CheckpointError(
                f"{path} is missing or damaged; use an older checkpoint of the run "
                f"(--step N), or train again"
            )


def _files(folder: Path) -> Iterator[Path]:
    inside = sorted(folder.rglob("*"))
    return (path for path in inside if path.is_file() and path != folder / _MANIFEST)


def _fingerprint(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": sha, "bytes": path.stat().st_size}


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.tmp")
    partial.write_text(text + "\n")
    _sync(partial)
    os.replace(partial, path)
    _sync(path.parent)


def _number(name: str) -> int:
    return int(name.removeprefix("step-"))

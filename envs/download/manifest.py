"""What lies in a folder of fetched data: one JSON file, written when all else is in place."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import cast

from .folder import sha256_of, write_whole
from .places import MANIFEST

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One file of ours."""

    name: str
    """Below the folder."""
    count: int
    """Games or products in it; 0 for a file that holds neither."""
    digest: str
    """Of the content, as the source publishes it; empty where it publishes none."""
    verified: bool
    """The content is the published one."""
    sha256: str
    """Of the file itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All files of a folder and where they came from."""

    source: str
    files: tuple[Held, ...]
    made_from: tuple[str, ...] = ()
    """Names and hashes of files that were converted and are not kept."""

    def named(self, name: str) -> Held | None:
        """The entry of a file; None if it is not listed."""
        return next((file for file in self.files if file.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What lies in a folder after data was asked for."""

    folder: Path
    manifest: Manifest
    was_there: bool
    """Nothing had to be done."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put it into the folder."""
    tree = {"format": _FORMAT, **asdict(manifest)}
    write_whole(folder / MANIFEST, json.dumps(tree, indent=1).encode("ascii") + b"\n")


def read_manifest(folder: Path) -> Manifest | None:
    """What the folder says it holds; None when it holds nothing finished that we know to read."""
    try:
        tree = cast("dict[str, object]", json.loads((folder / MANIFEST).read_bytes()))
        if tree["format"] != _FORMAT:
            return None
        entries = cast("list[dict[str, object]]", tree["files"])
        files = tuple(_held(entry) for entry in entries)
        made_from = tuple(map(str, cast("list[object]", tree["made_from"])))
        return Manifest(source=str(tree["source"]), files=files, made_from=made_from)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Every listed file is there, byte for byte."""
    paths = [(folder / file.name, file.sha256) for file in manifest.files]
    return all(path.is_file() and sha256_of(path) == digest for path, digest in paths)


def _held(entry: dict[str, object]) -> Held:
    values = {field.name: entry[field.name] for field in fields(Held)}
    count, verified = values["count"], values["verified"]
    if not isinstance(count, int) or not isinstance(verified, bool):
        raise TypeError("count and verified have other types in this manifest")
    name, digest, sha256 = (str(values[key]) for key in ("name", "digest", "sha256"))
    return Held(name=name, count=count, digest=digest, verified=verified, sha256=sha256)

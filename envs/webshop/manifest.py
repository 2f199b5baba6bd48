"""The label of a store: format, contents, and checksums of all its files.

Opening compares sizes and a sample of each file, which takes milliseconds at any size; `verify`
reads everything. The label is written last, so that an unfinished store is none.
"""

import errno
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, ValidationError

from .errors import CatalogueError

LABEL = "store.json"
FORMAT = "gigym-webshop-store"
VERSION = 1
_BLOCK = 4_096
_BLOCKS = 32
_READ = 1 << 20


class Held(BaseModel):
    """A file of the store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sample: str
    """Sha256 of some blocks, spread evenly."""
    sha256: str


class Label(BaseModel):
    """What a store says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    version: int
    products: PositiveInt
    goals: dict[str, NonNegativeInt]
    """Goals per list, `synthetic` and `human`."""
    left_out: int
    """Products whose wish was left out: their options can be combined in too many ways."""
    files: dict[str, Held]


def write_label(folder: Path, products: int, goals: dict[str, int], left_out: int) -> Label:
    """Seal a folder; the files in it must not change from then on."""
    label = Label(
        format=FORMAT,
        version=VERSION,
        products=products,
        goals=goals,
        left_out=left_out,
        files={name: _held(folder / name) for name in _names(folder)},
    )
    (folder / LABEL).write_text(label.model_dump_json(indent=1), "ascii")
    return label


def read_label(folder: Path) -> Label:
    """The label of a store whose files are there. Raises `CatalogueError` for anything else."""
    try:
        content = _content(folder / LABEL)
    except OSError as error:
        raise CatalogueError(
            f"{folder}: no store of WebShop, {LABEL}: {error.strerror}; "
            "make one with gigym download webshop"
        ) from None
    label = _parsed(folder, content)
    for name, held in label.files.items():
        _inspect(folder / name, held)
    return label


def verify(folder: Path) -> Label:
    """As `read_label`, reading every byte of every file."""
    label = read_label(folder)
    for name, held in label.files.items():
        if _sha256(folder / name) != held.sha256:
            raise _damaged(folder / name, f"its sha256 is not {held.sha256}")
    return label


def _content(path: Path) -> bytes:
    # opening a pipe waits for a writer
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file")
    return path.read_bytes()


def _parsed(folder: Path, content: bytes) -> Label:
    try:
        tree: object = json.loads(content)
        found = (tree["format"], tree["version"]) if isinstance(tree, dict) else ("none", 0)  # pyright: ignore[reportUnknownVariableType]
        if found != (FORMAT, VERSION):
            raise CatalogueError(
                f"{folder / LABEL}: expected format {FORMAT} version {VERSION}, "
                f"got {found[0]} version {found[1]}; convert the catalogue again"
            )
        return Label.model_validate(tree)
    except (ValueError, KeyError, RecursionError, ValidationError) as error:
        if isinstance(error, CatalogueError):
            raise
        raise _damaged(folder / LABEL, f"not a label, {type(error).__name__}") from None


def _inspect(path: Path, held: Held) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise _damaged(path, f"{error.strerror}, expected a file of {held.size} bytes") from None
    if size != held.size:
        raise _damaged(path, f"expected {held.size} bytes, got {size}")
    if _sample(path) != held.sample:
        raise _damaged(path, "its content is not what was written")


def _damaged(path: Path, fault: str) -> CatalogueError:
    return CatalogueError(f"{path}: damaged store: {fault}; convert the catalogue again")


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != LABEL:
            yield path.relative_to(folder).as_posix()


def _held(path: Path) -> Held:
    return Held(size=path.stat().st_size, sample=_sample(path), sha256=_sha256(path))


def _sample(path: Path) -> str:
    """Digest of evenly spread blocks, the first and the last among them."""
    last = max(path.stat().st_size - _BLOCK, 0)
    hashed = hashlib.sha256()
    with path.open("rb") as stream:
        for number in range(_BLOCKS):
            stream.seek(last * number // (_BLOCKS - 1))
            hashed.update(stream.read(_BLOCK))
    return hashed.hexdigest()


def _sha256(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ):
            hashed.update(block)
    return hashed.hexdigest()

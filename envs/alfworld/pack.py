"""Game files in, `PackRow`s out: packs, folders and zips of official ALFWorld games.

A pack is a `.jsonl` or `.jsonl.xz` file with one game per line; the official release is a tree
of `game.tw-pddl` files. Either becomes a `GameSet`, which holds each game compressed and hands
out a row when asked; nothing is interpreted here. Nothing is unpacked to disk, sizes are bounded.
"""

import functools
import lzma
import os
import re
import stat
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from ..download.archives import Bounds, zip_members
from ..errors import BadOption, DataDamaged, GameFileError, UnknownTask
from .rows import PackRow, decode, encode, release_row

GAME_FILE = "game.tw-pddl"
MAX_GAME_BYTES = 4 << 20
"""No official game reaches 300 kB."""
MAX_LINES = 1_000_000
"""Empty lines take no bytes worth the name, yet each takes time."""
MAX_SET_BYTES = 4 << 30
"""The largest official split is 191 MB as text."""
_UNPLAYABLE = ("movable", "Sliced")
_RELEASE = "json_2.1.1"
OFFICIAL_SPLITS = ("train", "valid_seen", "valid_unseen", "valid_train")
"""The parts of the release; a game's id begins with the name of its part."""


class GameSet:
    """Games in a fixed order, read once and kept compressed; rows are made when asked for."""

    def __init__(self, name: str, rows: Iterable[PackRow]) -> None:
        """Raises `GameFileError` when there is no game or two share an id."""
        self.name = name
        self._packed: dict[str, bytes] = {}
        for row in rows:
            if row.id in self._packed:
                raise GameFileError(f"{name}: two games have the id {row.id!r}; remove one of them")
            self._packed[row.id] = zlib.compress(encode(row), 1)
        if not self._packed:
            raise GameFileError(
                f"{name}: holds no game; expected one JSON object per line or {GAME_FILE} files"
            )
        self.ids = tuple(self._packed)

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[PackRow]:
        return map(self.row, self.ids)

    def __contains__(self, game_id: object) -> bool:
        return game_id in self._packed

    def row(self, game_id: str) -> PackRow:
        """The game with this id. Raises `UnknownTask`."""
        packed = self._packed.get(game_id)
        if packed is None:
            raise UnknownTask(
                f"no game {game_id!r} in {self.name}, which holds {len(self)} games "
                f"such as {self.ids[0]!r}"
            )
        return decode(zlib.decompress(packed), self.name)


def read_games(path: str | os.PathLike[str], split: str = "") -> GameSet:
    """The games of a pack, a folder or a zip; of a folder with parts, those of the part `split`.

    The same file gives the same `GameSet` object throughout the process. Raises `GameFileError`
    naming file and line for what cannot be read, `BadOption` for a split that is not there.
    """
    found = _resolve(_path(path), split)
    try:
        status = found.stat()
    except OSError as error:
        raise GameFileError(f"{found}: {error.strerror}; check the option games") from None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise GameFileError(f"{found}: expected a file or a folder, found a device or a pipe")
    with _LOADING:
        return _load(found.resolve(), status.st_mtime_ns, status.st_size)


def splits_of(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The official parts that a folder holds as packs or folders; none of any other path."""
    root = _path(path)
    return tuple(name for name in OFFICIAL_SPLITS if root.is_dir() and any(_parts(root, name)))


def write_pack(path: str | os.PathLike[str], rows: Iterable[PackRow]) -> int:
    """Write a `.jsonl` or `.jsonl.xz` pack and answer the number of games.

    The file appears only when it is whole. Raises `GameFileError` for another ending.
    """
    target = Path(path)
    _require_pack_name(target)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    count = 0
    try:
        with _open_pack(partial, "wb", packed=target.suffix == ".xz") as stream:
            for row in rows:
                stream.write(encode(row) + b"\n")
                count += 1
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


_LOADING = threading.Lock()


@functools.lru_cache(maxsize=8)
def _load(path: Path, _modified: int, _size: int) -> GameSet:
    if path.is_dir():
        rows = _folder_rows(path)
    elif path.name == GAME_FILE:
        rows = _file_rows([path])
    elif path.suffix == ".zip":
        rows = _zip_rows(path)
    else:
        rows = _pack_rows(path)
    return GameSet(str(path), rows)


def _path(path: str | os.PathLike[str]) -> Path:
    """The path with its `~` resolved."""
    try:
        if b"\0" not in os.fsencode(path):
            return Path(path).expanduser()
        fault = "holds a NUL"
    except (RuntimeError, UnicodeError) as error:
        fault = str(error)
    raise GameFileError(f"{os.fspath(path)!r:.200} is no path: {fault}; check the option games")


def _resolve(path: Path, split: str) -> Path:
    """The part of a folder that a split names; the folder itself where it has no parts."""
    if not split or not path.is_dir():
        return path
    if not re.fullmatch(r"[A-Za-z0-9_-]+", split):
        raise BadOption(f"split must be a plain name such as 'train', got {split!r}")
    parts = {name: part for name in (split, *OFFICIAL_SPLITS) for part in _parts(path, name)}
    if parts and split not in parts:
        raise BadOption(f"{path} has no split {split!r}; it has: {', '.join(sorted(parts))}")
    return parts.get(split, path)


def _parts(root: Path, split: str) -> Iterator[Path]:
    for folder in (root / _RELEASE, root):
        for name in (f"{split}.jsonl", f"{split}.jsonl.xz", split):
            if (folder / name).exists():
                yield folder / name


def _pack_rows(path: Path) -> Iterator[PackRow]:
    _require_pack_name(path)
    total = number = 0
    try:
        with _open_pack(path, "rb", packed=path.suffix == ".xz") as stream:
            while line := stream.readline(MAX_GAME_BYTES + 1):
                number += 1
                total += len(line)
                where = f"{path}, line {number}"
                _check_size(where, len(line), total)
                if number > MAX_LINES:
                    raise GameFileError(f"{path}: more than {MAX_LINES} lines are refused")
                if line.strip():
                    yield decode(line, where)
    except (lzma.LZMAError, EOFError, OSError) as error:
        raise GameFileError(
            f"{path}: cannot be read after line {number}: {error}; the file is damaged or was "
            "not copied whole: fetch it again"
        ) from None


def _folder_rows(root: Path) -> Iterator[PackRow]:
    walk = os.walk(root, onerror=_raise)
    found = (Path(folder) / GAME_FILE for folder, _, names in walk if GAME_FILE in names)
    return _file_rows(sorted(found))


def _raise(error: OSError) -> None:
    """A folder that cannot be listed would otherwise count as empty."""
    raise GameFileError(f"{error.filename}: {error.strerror}; check its permissions")


def _file_rows(paths: Iterable[Path]) -> Iterator[PackRow]:
    total = 0
    for path in paths:
        game_id = _game_id(path.parts)
        if not _playable(game_id):
            continue
        if not path.is_file():
            raise GameFileError(f"{path}: expected a plain file, found something else")
        try:
            with path.open("rb") as stream:
                text = stream.read(MAX_GAME_BYTES + 1)
        except OSError as error:
            raise GameFileError(f"{path}: {error.strerror}; check its permissions") from None
        total += len(text)
        _check_size(str(path), len(text), total)
        yield from release_row(text, game_id, str(path))


def _zip_rows(path: Path) -> Iterator[PackRow]:
    bounds = Bounds(member_bytes=MAX_GAME_BYTES, total_bytes=MAX_SET_BYTES)
    try:
        for member, text in zip_members(path, _is_playable_member, bounds):
            game_id = _game_id(PurePosixPath(member).parts)
            yield from release_row(text, game_id, f"{path}, member {member}")
    except DataDamaged as error:
        raise GameFileError(str(error)) from None
    except OSError as error:
        raise GameFileError(f"{path}: {error.strerror}; check its permissions") from None


def _is_playable_member(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[-1:] == (GAME_FILE,) and _playable(_game_id(parts))


def _game_id(parts: tuple[str, ...]) -> str:
    return "/".join(part for part in parts[-4:-1] if part not in ("/", "\\"))


def _playable(game_id: str) -> bool:
    """Alfworld leaves these folders of the release out, whatever they hold."""
    return not any(word in game_id for word in _UNPLAYABLE)


def _check_size(where: str, size: int, total: int) -> None:
    if size > MAX_GAME_BYTES:
        raise GameFileError(f"{where}: a game of more than {MAX_GAME_BYTES} bytes is refused")
    if total > MAX_SET_BYTES:
        raise GameFileError(f"{where}: more than {MAX_SET_BYTES} bytes of games are refused")


def _require_pack_name(path: Path) -> None:
    if not path.name.endswith((".jsonl", ".jsonl.xz")):
        raise GameFileError(
            f"{path}: expected a .jsonl or .jsonl.xz pack, a {GAME_FILE} file, or a folder or .zip "
            "of such files"
        )


def _open_pack(path: Path, mode: str, *, packed: bool) -> IO[bytes]:
    if not packed:
        return cast("IO[bytes]", open(path, mode))
    # a quarter larger than with the default preset, in an eighth of its time
    return cast("IO[bytes]", lzma.open(path, mode, preset=3 if mode == "wb" else None))

"""Members of a zip that nobody vouches for, read into memory one by one.

No name in the archive is ever used as a path, yet an archive whose names try to be one is refused
as a whole: whoever made it meant harm. So are links and devices, names that are there twice or
differ in case only, encrypted members, and bombs: by count, by ratio, by size, by overlap.
"""

import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import DataDamaged

_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Other methods unpack without a bound on what one read gives."""
_TORN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What the standard reader raises over bytes that make no sense, found by flipping each byte."""
_ENCRYPTED = 0x1 | 0x40
_SET_ID = stat.S_ISUID | stat.S_ISGID
_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_MAX_COMMENT = 1 << 16
_HEADER_BYTES = 30
"""Before each member, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an archive may cost."""

    members: int = 100_000
    directory_bytes: int = 32 << 20
    """Of the list of members, which is held in memory."""
    member_bytes: int = 4 << 20
    total_bytes: int = 4 << 30
    ratio: int = 100
    """Bytes unpacked per byte packed, of each member that is read."""


def zip_members(
    path: Path, wanted: Callable[[str], bool], bounds: Bounds | None = None
) -> Iterator[tuple[str, bytes]]:
    """Name and content of the members that are wanted, in the order of their names.

    Raises `DataDamaged` for an archive that is hostile, torn or beyond the bounds; the whole list
    of members is judged before the first is read.
    """
    bounds = bounds or Bounds()
    with path.open("rb") as stream:
        try:
            _judge_directory(stream, bounds, path)
            with zipfile.ZipFile(stream) as archive:
                members = archive.infolist()
                _judge(members, bounds, path)
                chosen = [member for member in members if wanted(member.filename)]
                yield from _contents(archive, chosen, bounds, path)
        except DataDamaged:
            raise
        except _TORN as error:
            raise DataDamaged(
                f"{path}: not a readable zip: {error}; the file is damaged or was cut: "
                "fetch it again"
            ) from None


def _contents(
    archive: zipfile.ZipFile, chosen: Iterable[zipfile.ZipInfo], bounds: Bounds, path: Path
) -> Iterator[tuple[str, bytes]]:
    total = 0
    for member in sorted(chosen, key=lambda each: each.filename):
        where = f"{path}, member {member.filename!r:.200}"
        if member.compress_type not in _PLAIN:
            raise _refused(where, "is packed by a method other than deflate")
        if member.file_size > bounds.member_bytes:
            raise _refused(where, f"unpacks to more than {bounds.member_bytes} bytes")
        if member.file_size > bounds.ratio * max(member.compress_size, 1):
            raise _refused(where, f"unpacks to more than {bounds.ratio} times its size")
        total += member.file_size
        if total > bounds.total_bytes:
            raise _refused(where, f"is beyond {bounds.total_bytes} unpacked bytes in all")
        with archive.open(member) as stream:
            content = stream.read(bounds.member_bytes + 1)
        if len(content) != member.file_size:
            raise _refused(where, f"has {len(content)} bytes, not the {member.file_size} it claims")
        yield member.filename, content


def _judge(members: list[zipfile.ZipInfo], bounds: Bounds, path: Path) -> None:
    if len(members) > bounds.members:
        raise _refused(path, f"holds {len(members)} members, more than {bounds.members}")
    _judge_places(members, path)
    seen: dict[str, str] = {}
    for member in members:
        name = member.orig_filename
        fault = _name_fault(name) or _kind_fault(member)
        if fault:
            raise _refused(path, f"its member {name!r:.200} {fault}")
        if member.is_dir():
            continue
        plain = unicodedata.normalize("NFC", name).casefold()
        if plain in seen:
            raise _refused(path, f"its members {seen[plain]!r:.200} and {name!r:.200} collide")
        seen[plain] = name


def _judge_places(members: Iterable[zipfile.ZipInfo], path: Path) -> None:
    """Refuse members that share their bytes: few bytes could be unpacked again and again."""
    end = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.header_offset < end:
            raise _refused(path, f"its member {member.orig_filename!r:.200} overlaps another")
        end = member.header_offset + _HEADER_BYTES + member.compress_size


def _name_fault(name: str) -> str | None:
    """Why a name is no plain path below some folder."""
    if not name or any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "has control characters in its name"
    if name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
        return "has an absolute path or a drive in its name"
    if any(step in ("", ".", "..") for step in name.removesuffix("/").split("/")):
        return "has a name that leaves its folder"
    return None


def _kind_fault(member: zipfile.ZipInfo) -> str | None:
    """Why a member is neither a plain file nor a folder."""
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFDIR if member.is_dir() else stat.S_IFREG):
        return "is a link, a device or another special file"
    if mode & _SET_ID and not member.is_dir():
        return "runs with the rights of its owner (setuid)"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return None


def _judge_directory(stream: IO[bytes], bounds: Bounds, path: Path) -> None:
    """Refuse a list of members that is too long, before anything reads it."""
    size = stream.seek(0, 2)
    tail_at = max(0, size - _END.size - _MAX_COMMENT)
    stream.seek(tail_at)
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise zipfile.BadZipFile("it has no list of members at its end")
    length = _END.unpack_from(tail, at)[5]
    if length == 0xFFFFFFFF:
        length = _long_directory(stream, tail_at + at)
    if length > min(bounds.directory_bytes, size):
        raise _refused(path, f"its list of members takes {length} bytes")
    stream.seek(0)


def _long_directory(stream: IO[bytes], end_at: int) -> int:
    stream.seek(max(0, end_at - _END64_PLACE.size))
    place = _END64_PLACE.unpack(stream.read(_END64_PLACE.size))
    stream.seek(min(place[2], end_at))
    return _END64.unpack(stream.read(_END64.size))[8]


def _refused(where: object, fault: str) -> DataDamaged:
    return DataDamaged(f"{where}: {fault}; the archive is refused, fetch it from another source")

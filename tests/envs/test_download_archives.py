"""Zips that nobody vouches for: harm of every kind is refused before a member is handed out."""

import io
import stat
import struct
import tarfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from file_server import Answer, file_server

from gigym.envs import DataDamaged, GameFileError
from gigym.envs.download.alfworld import Wish, install
from gigym.envs.download.archives import Bounds, zip_members

GOOD = "json_2.1.1/train/task/trial/game.tw-pddl"
Change = Callable[[zipfile.ZipFile], None]


def make(path: Path, *changes: Change) -> Path:
    """A zip with one good member and whatever the changes add."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(GOOD, "{}")
        for change in changes:
            change(archive)
    return path


def named(name: str) -> Change:
    def change(archive: zipfile.ZipFile) -> None:
        member = zipfile.ZipInfo("placeholder")
        # the constructor would repair the name
        member.filename = name
        archive.writestr(member, "x")

    return change


def moded(mode: int, name: str = "a") -> Change:
    def change(archive: zipfile.ZipFile) -> None:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, "/etc/passwd")

    return change


def flagged(path: Path, bit: int) -> Path:
    """The zip with a flag set in the first entry of its list of members."""
    whole = bytearray(path.read_bytes())
    at = whole.index(b"PK\x01\x02")
    flags = struct.unpack_from("<H", whole, at + 8)[0]
    struct.pack_into("<H", whole, at + 8, flags | bit)
    path.write_bytes(whole)
    return path


def read(path: Path, bounds: Bounds | None = None) -> list[tuple[str, bytes]]:
    return list(zip_members(path, lambda name: name.endswith("game.tw-pddl"), bounds))


def refused(path: Path, told: str, bounds: Bounds | None = None) -> None:
    """Refused with these words, and nothing was handed out before."""
    got: list[object] = []
    with pytest.raises(DataDamaged, match=told) as caught:
        got.extend(zip_members(path, lambda name: name.endswith("game.tw-pddl"), bounds))
    assert got == [] and str(caught.value).startswith(str(path))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_wanted_members_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", named("b/game.tw-pddl"), named("a/game.tw-pddl"), named("c"))
    assert read(path) == [("a/game.tw-pddl", b"x"), ("b/game.tw-pddl", b"x"), (GOOD, b"{}")]


def test_folders_and_plain_modes_are_no_harm(tmp_path: Path) -> None:
    folder = moded(stat.S_IFDIR | stat.S_ISGID | 0o755, "folder/")
    path = make(tmp_path / "a.zip", folder, moded(stat.S_IFREG | 0o644), moded(0, "b"))
    assert len(read(path)) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../evil", "leaves its folder"),
        ("a/../../evil", "leaves its folder"),
        ("a/./evil", "leaves its folder"),
        ("a//evil", "leaves its folder"),
        ("..", "leaves its folder"),
        ("/etc/cron.d/evil", "absolute path"),
        ("//host/share/evil", "absolute path"),
        ("C:/evil", "drive"),
        ("C:evil", "drive"),
        ("..\\evil", "absolute path or a drive"),
        ("a\\b", "absolute path or a drive"),
        ("a\x00.txt", "control characters"),
        ("a\nb", "control characters"),
        ("a\x1b[2J", "control characters"),
    ],
)
def test_a_name_that_is_no_plain_path_condemns_the_archive(
    tmp_path: Path, name: str, told: str
) -> None:
    refused(make(tmp_path / "a.zip", named(name)), told)


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR]
)
def test_links_devices_pipes_and_files_that_claim_to_be_folders_are_refused(
    tmp_path: Path, kind: int
) -> None:
    refused(make(tmp_path / "a.zip", moded(kind | 0o777)), "link, a device")


@pytest.mark.parametrize("bit", [stat.S_ISUID, stat.S_ISGID])
def test_a_setuid_member_is_refused(tmp_path: Path, bit: int) -> None:
    refused(make(tmp_path / "a.zip", moded(stat.S_IFREG | bit | 0o755)), "setuid")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/game.tw-pddl", "a/game.tw-pddl"),
        ("a/game.tw-pddl", "A/game.tw-pddl"),
        ("caf\u00e9/game.tw-pddl", "cafe\u0301/game.tw-pddl"),
        ("stra\u00dfe", "STRASSE"),
    ],
)
def test_names_that_fall_together_are_refused(tmp_path: Path, first: str, second: str) -> None:
    refused(make(tmp_path / "a.zip", named(first), named(second)), "collide")


@pytest.mark.parametrize("bit", [0x1, 0x40])
def test_an_encrypted_member_is_refused(tmp_path: Path, bit: int) -> None:
    refused(flagged(make(tmp_path / "a.zip"), bit), "is encrypted")


def stored(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Change:
    def change(archive: zipfile.ZipFile) -> None:
        archive.writestr("a/game.tw-pddl", content, compress_type=method)

    return change


def test_a_bomb_by_ratio_is_refused(tmp_path: Path) -> None:
    refused(make(tmp_path / "a.zip", stored(bytes(3 << 20))), "more than 100 times")


def test_a_bomb_by_size_is_refused(tmp_path: Path) -> None:
    bounds = Bounds(member_bytes=1000)
    refused(make(tmp_path / "a.zip", stored(b"x" * 1001)), "more than 1000 bytes", bounds)
    assert len(read(make(tmp_path / "a.zip", stored(b"x" * 1000)), bounds)) == 2


def test_a_bomb_by_sum_is_refused(tmp_path: Path) -> None:
    bounds = Bounds(total_bytes=1000)
    with pytest.raises(DataDamaged, match="beyond 1000 unpacked bytes in all"):
        read(make(tmp_path / "a.zip", stored(b"x" * 999)), bounds)


def test_a_bomb_of_bombs_is_never_unpacked(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("game.tw-pddl", bytes(3 << 20))
    path = make(tmp_path / "a.zip", stored(inner.getvalue()))
    assert dict(read(path))["a/game.tw-pddl"] == inner.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bounds_are_refused(tmp_path: Path, method: int) -> None:
    refused(make(tmp_path / "a.zip", stored(bytes(3 << 20), method)), "other than deflate")


def test_a_million_members_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    """The list of members is made of one entry, again and again: no such file is ever written."""
    path = make(tmp_path / "a.zip")
    whole = path.read_bytes()
    at, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    listed = whole[at:end] * 1_000_000
    closing = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(listed), at, 0)
    path.write_bytes(whole[:at] + listed + closing)
    del listed
    begun = time.monotonic()
    tracemalloc.start()
    try:
        refused(path, "its list of members takes")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - begun < 5


def test_a_long_list_of_members_is_found_in_the_64_bit_form_too(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip")
    whole = path.read_bytes()
    at, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    size = 1 << 40
    closing = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, at)
    closing += struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    closing += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, at, 0)
    path.write_bytes(whole[:end] + closing)
    refused(path, f"list of members takes {size} bytes")


def test_the_number_of_members_is_bounded(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", named("a"), named("b"))
    assert len(read(path, Bounds(members=3))) == 1
    refused(path, "holds 3 members, more than 2", Bounds(members=2))


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """The bomb without nesting: many entries of the list point at the same bytes."""
    path = make(tmp_path / "a.zip", stored(b"x" * 50_000))
    whole = path.read_bytes()
    at, end = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    second = whole.index(b"PK\x01\x02", at + 4)
    copies = [whole[second:end].replace(b"a/game", b"%c/game" % letter) for letter in b"bcdefgh"]
    listed = whole[at:end] + b"".join(copies)
    closing = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(listed), at, 0)
    path.write_bytes(whole[:at] + listed + closing)
    refused(path, "overlaps another")


@pytest.mark.parametrize("keep", [0, 3, 21, 22, 60, -1, -23])
def test_a_cut_archive_is_told(tmp_path: Path, keep: int) -> None:
    path = make(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:keep])
    refused(path, r"not a readable zip.*fetch it again")


def test_every_single_byte_may_be_wrong(tmp_path: Path) -> None:
    whole = make(tmp_path / "a.zip").read_bytes()
    path = tmp_path / "b.zip"
    for at in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            try:
                assert dict(read(path)).get(GOOD, b"{}") == b"{}"
            except DataDamaged as error:
                assert str(path) in str(error)


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE])
def test_a_tar_is_refused_whatever_it_holds(tmp_path: Path, kind: bytes) -> None:
    """The release is a zip; the tricks that only a tar can play find no reader."""
    path = tmp_path / "release.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(GOOD)
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(GameFileError, match=r"expected a \.jsonl .* or a folder or \.zip"):
        install(Wish(source=str(path), folder=tmp_path / "to"))
    with file_server() as server:
        url = server.put("/release.zip", Answer(content=path.read_bytes()))
        with pytest.raises(DataDamaged, match=r"begins with b'\\x1f\\x8b"):
            install(Wish(source=url, folder=tmp_path / "to"))
    assert [each.name for each in (tmp_path / "to").iterdir()] == [".lock"]

"""What came before a break is built upon, unless it might be something else by now."""

import resource
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Answer, FileServer, file_server
from remote_file import CONTENT, HASTE, OTHER, Log, loose, pinned

from gigym.envs.download.fetch import fetch
from gigym.envs.errors import CannotStore, DataDamaged, DownloadFailed


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("make", [pinned, loose])
def test_a_cut_connection_is_resumed_where_it_broke(
    server: FileServer, tmp_path: Path, make: type
) -> None:
    url = server.put("/a", Answer(content=CONTENT, cut=70_000), Answer(content=CONTENT))
    path = fetch(make(url), tmp_path, HASTE, Log())
    assert path.read_bytes() == CONTENT
    assert [(each.range, each.if_range) for each in server.seen] == [
        ("", ""),
        ("bytes=70000-", '"one"'),
    ]


def test_a_later_run_goes_on_from_the_part_of_an_earlier_one(
    server: FileServer, tmp_path: Path
) -> None:
    url = server.put("/a", Answer(content=CONTENT, cut=50_000))
    with pytest.raises(DownloadFailed, match="150000 bytes that came are kept"):
        fetch(loose(url), tmp_path, HASTE, Log())
    assert names(tmp_path) == ["games.zip.part", "games.zip.part.json"]
    server.put("/a", Answer(content=CONTENT))
    log = Log()
    assert fetch(loose(url), tmp_path, HASTE, log).read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=50000-", "bytes=100000-", "bytes=150000-"]
    assert log.started == [("games.zip", 150_000, len(CONTENT))]


def test_a_server_without_ranges_sends_all_of_it_again(server: FileServer, tmp_path: Path) -> None:
    whole = Answer(content=CONTENT, ranges=False)
    url = server.put("/a", replace(whole, cut=70_000), whole)
    assert fetch(loose(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_not_mixed(server: FileServer, tmp_path: Path) -> None:
    changed = Answer(content=OTHER, etag='"two"')
    url = server.put("/a", Answer(content=CONTENT, cut=70_000), changed)
    assert fetch(loose(url), tmp_path, HASTE, Log()).read_bytes() == OTHER


def test_a_server_that_ignores_if_range_is_caught_by_its_tag(
    server: FileServer, tmp_path: Path
) -> None:
    stubborn = Answer(
        content=OTHER,
        status=206,
        ranges=False,
        etag='"two"',
        headers={"Content-Range": f"bytes 70000-{len(OTHER) - 1}/{len(OTHER)}"},
    )
    url = server.put(
        "/a", Answer(content=CONTENT, cut=70_000), stubborn, Answer(content=OTHER, etag='"two"')
    )
    assert fetch(loose(url), tmp_path, HASTE, Log()).read_bytes() == OTHER
    assert server.ranges == ["", "bytes=70000-", ""]


def test_without_a_tag_or_a_hash_a_cut_file_starts_over(server: FileServer, tmp_path: Path) -> None:
    plain = Answer(content=CONTENT, etag="")
    url = server.put("/a", replace(plain, cut=70_000), plain)
    assert fetch(loose(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT
    assert server.ranges == ["", ""]


def test_a_mirror_goes_on_where_another_stopped_when_the_hash_is_known(
    server: FileServer, tmp_path: Path
) -> None:
    broken = server.put("/a", Answer(content=CONTENT, cut=90_000), Answer(status=404))
    mirror = server.put("/b", Answer(content=CONTENT, etag='"mirror"'))
    assert fetch(pinned(broken, mirror), tmp_path, HASTE, Log()).read_bytes() == CONTENT
    assert server.seen[-1].path == "/b" and server.seen[-1].range == "bytes=90000-"


def test_a_bad_part_of_an_earlier_run_costs_one_more_fetch(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "games.zip.part").write_bytes(b"x" * 1000)
    url = server.put("/a", Answer(content=CONTENT))
    assert fetch(pinned(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", ""]


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 5])
def test_a_part_as_long_as_the_file_is_judged_at_once(
    server: FileServer, tmp_path: Path, size: int
) -> None:
    (tmp_path / "games.zip.part").write_bytes((CONTENT + b"extra")[:size])
    url = server.put("/a", Answer(content=CONTENT))
    assert fetch(pinned(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT
    assert len(server.seen) == (0 if size == len(CONTENT) else 1)


def test_a_part_that_was_whole_already_is_taken(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", Answer(content=CONTENT, cut=50_000), Answer(status=404))
    with pytest.raises(DownloadFailed):
        fetch(loose(url), tmp_path, HASTE, Log())
    (tmp_path / "games.zip.part").write_bytes(CONTENT)
    server.put("/a", Answer(content=CONTENT))
    assert fetch(loose(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={len(CONTENT)}-"


def test_a_disk_without_room_is_told_before_anything_is_asked(
    server: FileServer, tmp_path: Path
) -> None:
    url = server.put("/a", Answer(content=CONTENT))
    size = shutil.disk_usage(tmp_path).free
    with pytest.raises(CannotStore, match="are needed and"):
        fetch(replace(pinned(url), size=size), tmp_path, HASTE, Log())
    assert server.seen == []


def test_a_disk_that_fills_up_keeps_the_part(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", Answer(content=CONTENT))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # the disk cannot be filled here; a limit on the size of files fails in the same call
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(CannotStore, match=r"games\.zip: .*the part that came is kept"):
            fetch(pinned(url), tmp_path, HASTE, Log())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "games.zip.part").stat().st_size == 100_000
    assert fetch(pinned(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT
    assert server.ranges == ["", "bytes=100000-"]


def test_a_folder_that_takes_no_files_is_told(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "games.zip.part").mkdir()
    with pytest.raises(CannotStore, match="Is a directory"):
        fetch(pinned(server.put("/a", Answer(content=CONTENT))), tmp_path, HASTE, Log())


def test_a_server_that_never_gives_the_rest_is_left_after_one_more_start(
    server: FileServer, tmp_path: Path
) -> None:
    """Each start brings more than a MiB, so that it looks like progress."""
    large = b"PK\x03\x04" + bytes(3 << 20)
    start = Answer(content=large, cut=2 << 20)
    odd = Answer(content=b"PK", status=206, ranges=False, headers={"Content-Range": "bytes 7-8/9"})
    url = server.put("/a", *[start, odd] * 20)
    with pytest.raises(DataDamaged, match="it answered with the range"):
        fetch(replace(loose(url), limit=8 << 20), tmp_path, HASTE, Log())
    assert len(server.seen) == 4

"""One file from a real server: resumed, tried again, looked for elsewhere, verified."""

import hashlib
import os
import random
import resource
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Answer, FileServer, file_server

from gigym.envs.download import addresses
from gigym.envs.download.fetch import fetch
from gigym.envs.download.folder import locked
from gigym.envs.download.types import Patience, RemoteFile
from gigym.envs.errors import BadOption, CannotStore, DataDamaged, DownloadFailed

CONTENT = b"PK\x03\x04" + random.Random("content").randbytes(200_000)
OTHER = b"PK\x03\x04" + random.Random("other").randbytes(200_000)
HASTE = Patience(
    connect_s=2, silence_s=1.0, whole_s=10, attempts=3, backoff_s=0.01, backoff_max_s=0.3
)
QUOTA = (
    b"<!DOCTYPE html><html><head><title>Google Drive - Quota\n exceeded</title></head>"
    b"<body>Too many users have viewed or downloaded this file</body></html>"
)


class Log:
    """Keeps what a watcher is told."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int, int | None]] = []
        self.notes: list[str] = []
        self.bytes = 0

    def start(self, name: str, done: int, total: int | None, unit: str = "bytes") -> None:
        self.started.append((name, done, total))

    def advance(self, count: int) -> None:
        self.bytes += count

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


def pinned(*urls: str) -> RemoteFile:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return replace(loose(*urls), size=len(CONTENT), sha256=sha256)


def loose(*urls: str) -> RemoteFile:
    """A file of which nothing is known beforehand."""
    return RemoteFile(name="games.zip", urls=urls, begins=(b"PK\x03\x04",), limit=1_000_000)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_leaves_nothing_beside(server: FileServer, tmp_path: Path) -> None:
    log = Log()
    path = fetch(pinned(server.put("/a", Answer(content=CONTENT))), tmp_path, HASTE, log)
    assert path.read_bytes() == CONTENT and names(tmp_path) == ["games.zip"]
    assert log.started == [("games.zip", 0, len(CONTENT))] and log.bytes == len(CONTENT)


def test_a_file_that_is_here_is_not_asked_for(server: FileServer, tmp_path: Path) -> None:
    file = pinned(server.put("/a", Answer(content=CONTENT)))
    fetch(file, tmp_path, HASTE, Log())
    fetch(file, tmp_path, HASTE, Log())
    assert len(server.seen) == 1


def test_a_damaged_file_that_is_here_is_fetched_again(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "games.zip").write_bytes(CONTENT[:-1] + b"!")
    path = fetch(pinned(server.put("/a", Answer(content=CONTENT))), tmp_path, HASTE, Log())
    assert path.read_bytes() == CONTENT


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


def test_a_wrong_hash_is_told_and_never_kept(server: FileServer, tmp_path: Path) -> None:
    got = hashlib.sha256(OTHER).hexdigest()
    with pytest.raises(DataDamaged, match=f"sha256 {got}, expected {pinned().sha256}"):
        fetch(pinned(server.put("/a", Answer(content=OTHER))), tmp_path, HASTE, Log())
    assert names(tmp_path) == []


def test_a_mirror_with_other_bytes_is_passed_over(server: FileServer, tmp_path: Path) -> None:
    wrong = server.put("/a", Answer(content=OTHER))
    right = server.put("/b", Answer(content=CONTENT))
    log = Log()
    assert fetch(pinned(wrong, right), tmp_path, HASTE, log).read_bytes() == CONTENT
    assert len(log.notes) == 1 and "sha256" in log.notes[0]


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_not_repeated(server: FileServer, tmp_path: Path, status: int) -> None:
    url = server.put("/a", Answer(status=status))
    with pytest.raises(DownloadFailed, match=f"games.zip could not be fetched: .*{status}"):
        fetch(pinned(url), tmp_path, HASTE, Log())
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_tried_again(server: FileServer, tmp_path: Path, status: int) -> None:
    bad = Answer(status=status)
    url = server.put("/a", bad, bad, Answer(content=CONTENT))
    assert fetch(pinned(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT


def test_tries_are_bounded(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", Answer(status=500))
    with pytest.raises(DownloadFailed, match="500"):
        fetch(pinned(url), tmp_path, HASTE, Log())
    assert len(server.seen) == HASTE.attempts


def test_retry_after_is_heeded(server: FileServer, tmp_path: Path) -> None:
    busy = Answer(status=429, headers={"Retry-After": "1"})
    url = server.put("/a", busy, Answer(content=CONTENT))
    begun = time.monotonic()
    fetch(pinned(url), tmp_path, replace(HASTE, backoff_max_s=2), Log())
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize("asked", ["3600", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_server_that_asks_for_an_hour_is_left(
    server: FileServer, tmp_path: Path, asked: str
) -> None:
    busy = server.put("/a", Answer(status=503, headers={"Retry-After": asked}))
    mirror = server.put("/b", Answer(content=CONTENT))
    fetch(pinned(busy, mirror), tmp_path, HASTE, Log())
    assert [each.path for each in server.seen] == ["/a", "/b"]


@pytest.mark.parametrize("pause_s", [0.05, 0.8])
def test_the_deadline_ends_a_trickle(server: FileServer, tmp_path: Path, pause_s: float) -> None:
    url = server.put("/a", Answer(content=CONTENT, pause_s=pause_s))
    begun = time.monotonic()
    with pytest.raises(DownloadFailed, match="not done before the deadline"):
        fetch(pinned(url), tmp_path, replace(HASTE, whole_s=1.2), Log())
    assert 1.0 < time.monotonic() - begun < 2.2
    assert (tmp_path / "games.zip.part").stat().st_size >= 1024


def test_the_deadline_ends_a_trickle_of_unknown_length(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", Answer(content=CONTENT, pause_s=0.05, length=False))
    with pytest.raises(DownloadFailed, match="not done before the deadline"):
        fetch(loose(url), tmp_path, replace(HASTE, whole_s=0.5), Log())
    assert "games.zip" not in names(tmp_path)


@pytest.mark.parametrize("header", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_peer_that_accepts_and_says_nothing_is_given_up(tmp_path: Path, header: bytes) -> None:
    """A black hole, and one that sends its headers byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        stop = threading.Event()

        def drip() -> None:
            peer, _ = hole.accept()
            with peer:
                for letter in header + b"x" * 1000:
                    if stop.wait(0.1) or not header:
                        break
                    try:
                        peer.send(bytes([letter]))
                    except OSError:
                        break
                stop.wait(5)

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{hole.getsockname()[1]}/a"
        begun = time.monotonic()
        with pytest.raises(DownloadFailed, match=r"deadline|silent for too long"):
            fetch(pinned(url), tmp_path, replace(HASTE, whole_s=0.8, attempts=1), Log())
        assert time.monotonic() - begun < 1.8
        stop.set()
        thread.join()


def test_nobody_listening_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadFailed, match="no connection"):
        fetch(pinned(f"http://127.0.0.1:{port}/a"), tmp_path, HASTE, Log())


def test_a_page_in_place_of_the_file_is_told_by_its_title(
    server: FileServer, tmp_path: Path
) -> None:
    url = server.put("/a", Answer(content=QUOTA, headers={"Content-Type": "text/html"}))
    with pytest.raises(
        DataDamaged, match=r"a web page titled 'Google Drive - Quota exceeded'.*--from"
    ):
        fetch(loose(url), tmp_path, HASTE, Log())
    assert names(tmp_path) == [] and len(server.seen) == 1


@pytest.mark.parametrize("content", [b"GIF89a" + CONTENT, b"\x00" * 100, b"ceci est une pipe"])
def test_something_else_is_told_by_its_beginning(
    server: FileServer, tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(DataDamaged, match="it begins with b'"):
        fetch(loose(server.put("/a", Answer(content=content))), tmp_path, HASTE, Log())


def test_an_empty_answer_is_no_file(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="it sent nothing"):
        fetch(loose(server.put("/a", Answer())), tmp_path, HASTE, Log())


@pytest.mark.parametrize("length", [True, False])
def test_a_file_beyond_its_limit_is_refused(
    server: FileServer, tmp_path: Path, length: bool
) -> None:
    url = server.put("/a", Answer(content=CONTENT, length=length))
    with pytest.raises((DownloadFailed, DataDamaged), match="more than 100000"):
        fetch(replace(loose(url), limit=100_000), tmp_path, HASTE, Log())


@pytest.mark.parametrize("extra", [-1, 1])
def test_another_size_than_the_known_one_is_refused(
    server: FileServer, tmp_path: Path, extra: int
) -> None:
    url = server.put("/a", Answer(content=CONTENT))
    file = replace(pinned(url), size=len(CONTENT) + extra)
    with pytest.raises(DataDamaged, match=f"{len(CONTENT)} bytes, expected"):
        fetch(file, tmp_path, HASTE, Log())


def test_a_compressed_answer_is_refused(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", Answer(content=CONTENT, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(DownloadFailed, match="compressed the file"):
        fetch(loose(url), tmp_path, HASTE, Log())


def to(location: str) -> Answer:
    return Answer(status=302, headers={"Location": location})


def test_redirects_are_followed(server: FileServer, tmp_path: Path) -> None:
    server.put("/c", Answer(content=CONTENT))
    server.put("/b", to(f"{server.url}/c"))
    url = server.put("/a", to("/b"))
    assert fetch(pinned(url), tmp_path, HASTE, Log()).read_bytes() == CONTENT


def test_a_loop_of_redirects_ends(server: FileServer, tmp_path: Path) -> None:
    url = server.put("/a", to("/a"))
    with pytest.raises(DownloadFailed, match="more than 5 redirects"):
        fetch(pinned(url), tmp_path, HASTE, Log())
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://[", "http://a:x/", "javascript:1"]
)
def test_a_redirect_to_no_http_url_is_refused(
    server: FileServer, tmp_path: Path, target: str
) -> None:
    with pytest.raises(DownloadFailed, match=r"no http URL|Invalid URL"):
        fetch(pinned(server.put("/a", to(target))), tmp_path, HASTE, Log())


PUBLIC = "8.8.8.8"


def stop_at(url: str, *found: str) -> addresses.Stop:
    stop = addresses.first_stop(url, 1)
    return replace(stop, addresses=found)


def test_no_redirect_leads_from_https_to_http() -> None:
    here = stop_at(f"https://{PUBLIC}/a", PUBLIC)
    with pytest.raises(DownloadFailed, match="from https to"):
        addresses.next_stop(here, here, f"http://{PUBLIC}/b", 1)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_no_redirect_leads_from_a_public_host_into_the_local_network(host: str) -> None:
    here = stop_at(f"http://{PUBLIC}/a", PUBLIC)
    with pytest.raises(DownloadFailed, match="address of this machine or the local network"):
        addresses.next_stop(here, here, f"http://{host}/b", 1)


def test_a_name_with_a_private_address_among_others_is_private() -> None:
    assert not stop_at("http://127.0.0.1/", PUBLIC, "192.168.0.1").is_public
    assert stop_at("http://127.0.0.1/", PUBLIC, "2001:4860:4860::8888").is_public


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://127.0.0.1/a", "expected a URL with http"),
        ("file:///etc/passwd", "expected a URL with http"),
        ("http:///a", "expected a URL with http"),
        ("https://user:secret@127.0.0.1/a", "holds a password"),
        ("http://127.0.0.1:99999/a", "Port out of range"),
    ],
)
def test_a_url_that_is_never_asked(tmp_path: Path, url: str, told: str) -> None:
    with pytest.raises(BadOption, match=told) as caught:
        fetch(pinned(url), tmp_path, HASTE, Log())
    assert "secret" not in str(caught.value)


def test_a_host_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"host 'nowhere.invalid' is not known"):
        fetch(pinned("http://nowhere.invalid/a"), tmp_path, HASTE, Log())


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


def test_two_downloads_do_not_share_a_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CannotStore, match="another download"), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert os.listdir(tmp_path) == [".lock"]

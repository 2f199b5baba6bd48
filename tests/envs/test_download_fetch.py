"""One file from a real server: tried again, looked for elsewhere, verified, never kept wrong."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Answer, FileServer, file_server
from remote_file import CONTENT, HASTE, OTHER, Log, loose, pinned

from gigym.envs.download.fetch import fetch
from gigym.envs.download.folder import locked
from gigym.envs.errors import CannotStore, DataDamaged, DownloadFailed

QUOTA = (
    b"<!DOCTYPE html><html><head><title>Google Drive - Quota\n exceeded</title></head>"
    b"<body>Too many users have viewed or downloaded this file</body></html>"
)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_leaves_nothing_beside(server: FileServer, tmp_path: Path) -> None:
    log = Log()
    path = fetch(pinned(server.put("/a", Answer(content=CONTENT))), tmp_path, HASTE, log)
    assert path.read_bytes() == CONTENT and names(tmp_path) == ["games.zip"]
    assert log.started == [("games.zip", 0, len(CONTENT))] and log.bytes == len(CONTENT)


def test_a_file_of_no_known_hash_is_never_taken_for_granted(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "games.zip").write_bytes(OTHER)
    path = fetch(loose(server.put("/a", Answer(content=CONTENT))), tmp_path, HASTE, Log())
    assert path.read_bytes() == CONTENT


def test_a_file_that_is_here_is_not_asked_for(server: FileServer, tmp_path: Path) -> None:
    file = pinned(server.put("/a", Answer(content=CONTENT)))
    fetch(file, tmp_path, HASTE, Log())
    fetch(file, tmp_path, HASTE, Log())
    assert len(server.seen) == 1


def test_a_damaged_file_that_is_here_is_fetched_again(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "games.zip").write_bytes(CONTENT[:-1] + b"!")
    path = fetch(pinned(server.put("/a", Answer(content=CONTENT))), tmp_path, HASTE, Log())
    assert path.read_bytes() == CONTENT


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


NONSENSE = (
    b"",
    b"\x00" * 100,
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"HTTP/1.1 200\r\n\r\nPK\x03\x04",
    b"HTTP/1.1 999 What\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nPK\x03\x04",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nPK\x03\x04",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nPK\x03\x04!",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nPK",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nPK",
    b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-1/\xff\r\n\r\nPK\x03\x04",
    b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/" + b"9" * 5000 + b"\r\n\r\nPK\x03\x04",
    b"HTTP/1.1 416 No\r\nContent-Range: bytes */0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe://\x01\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: //" + b"a" * 300 + b"/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://a..b/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[v1.x]/\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation:\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"9" * 5000 + b"\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 99999999999 23:59:59 GMT\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
)


@pytest.mark.parametrize("answer", NONSENSE, ids=range(len(NONSENSE)))
def test_an_answer_that_makes_no_sense_is_a_failure_of_that_source(
    server: FileServer, tmp_path: Path, answer: bytes
) -> None:
    mirror = server.put("/b", Answer(content=CONTENT))
    with socket.create_server(("127.0.0.1", 0)) as odd:
        odd.settimeout(5)

        def serve() -> None:
            for _ in range(2):
                try:
                    peer, _ = odd.accept()
                except OSError:
                    return
                with peer:
                    peer.recv(10_000)
                    peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{odd.getsockname()[1]}/a"
        once = replace(HASTE, attempts=2, silence_s=0.5)
        assert fetch(pinned(url, mirror), tmp_path, once, Log()).read_bytes() == CONTENT
        odd.shutdown(socket.SHUT_RDWR)
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


def test_two_downloads_do_not_share_a_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CannotStore, match="another download"), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert os.listdir(tmp_path) == [".lock"]

"""What the tests of downloads share: a file, how it is asked for, and who watches."""

import hashlib
import random
from dataclasses import replace

from gigym.envs.download.types import Patience, RemoteFile

CONTENT = b"PK\x03\x04" + random.Random("content").randbytes(200_000)
OTHER = b"PK\x03\x04" + random.Random("other").randbytes(200_000)
HASTE = Patience(
    connect_s=2, silence_s=1.0, whole_s=10, attempts=3, backoff_s=0.01, backoff_max_s=0.3
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


def pinned(*urls: str) -> RemoteFile:
    """A file whose size and hash are known."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return replace(loose(*urls), size=len(CONTENT), sha256=sha256)


def loose(*urls: str) -> RemoteFile:
    """A file of which nothing is known beforehand."""
    return RemoteFile(name="games.zip", urls=urls, begins=(b"PK\x03\x04",), limit=1_000_000)

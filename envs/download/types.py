"""What is fetched, how patiently, and who watches."""

from dataclasses import dataclass
from typing import Protocol

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file: its name here, where it is to be had, and what it must be."""

    name: str
    urls: tuple[str, ...]
    """Tried in order; all have the same content when `sha256` is known."""
    begins: tuple[bytes, ...]
    """The file starts with one of these; anything else is a page that says why there is none."""
    size: int | None = None
    sha256: str = ""
    """Hex digest; empty where it is not known beforehand."""
    limit: int = 512 * MIB
    """More bytes than these are refused where the size is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for servers."""

    connect_s: float = 10.0
    silence_s: float = 30.0
    """A server that sends no byte for so long is given up."""
    whole_s: float = 6 * 3600.0
    """One file with all its retries takes no longer."""
    attempts: int = 5
    """Tries in a row that bring less than a MiB, per source."""
    backoff_s: float = 0.5
    """First wait between tries; doubles, up to `backoff_max_s`."""
    backoff_max_s: float = 30.0
    """Also the longest wait that a server may ask for."""


class Watcher(Protocol):
    """Sees how a download goes."""

    def start(self, name: str, done: int, total: int | None, unit: str = "bytes") -> None:
        """Some work begins, or goes on, with `done` units of `total`."""
        ...

    def advance(self, count: int) -> None:
        """So many units more are done."""
        ...

    def note(self, text: str) -> None:
        """Something that the user may want to know; may hold what a server wrote."""
        ...


class Silent:
    """A watcher that shows nothing."""

    def start(self, name: str, done: int, total: int | None, unit: str = "bytes") -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

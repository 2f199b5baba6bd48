"""The folder that takes a download: one writer at a time, room for what comes, verified files."""

import hashlib
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CannotStore

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


LOCK = ".lock"
SPARE_BYTES = 64 << 20
"""Left free on the disk beyond what a download needs."""


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Make the folder and keep other downloads out of it. Raises `CannotStore` if one is in it.

    The lock belongs to the process and ends with it, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CannotStore(f"{folder}: {error.strerror}; name another folder with --to") from None
    try:
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            raise CannotStore(
                f"{folder}: another download is writing there; let it end, or name another folder"
            ) from None
        except OSError as error:
            raise CannotStore(
                f"{folder}: files cannot be locked there ({error.strerror}); name a folder on "
                "a local disk with --to"
            ) from None
        yield
    finally:
        os.close(descriptor)


def need_room(folder: Path, size: int) -> None:
    """Raise `CannotStore` unless the disk of the folder takes `size` bytes more."""
    free = shutil.disk_usage(folder).free
    if free < size + SPARE_BYTES:
        raise CannotStore(
            f"{folder}: {_mib(size + SPARE_BYTES)} are needed and {_mib(free)} are free; "
            "make room, or name another folder with --to"
        )


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that it is there wholly or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"

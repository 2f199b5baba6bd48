"""The file system that the code sees: Python's library, a scratch directory, nothing else.

The library and the packages appear read-only under the paths they have on the host; folders in
which further packages are installed are covered by empty ones.
"""

import os

from . import kernel

__all__ = ["SCRATCH", "build", "cover", "scratch"]

SCRATCH = "/scratch"
"""Where a run may write."""

_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 32, 4096, 16384, 1 << 18
_RELATIME = 1 << 21
_ST_KEPT, _ST_RELATIME = 1 | 2 | 4 | 8 | 1024 | 2048, 4096
_OLD = "/old"


def build(library: list[str], covered: list[str], packages: list[str]) -> None:
    """Pivot into a fresh root: `library` without `covered`, then `packages` (needs a namespace)."""
    kernel.mount("none", "/", None, _RECURSIVE | _PRIVATE)
    kernel.mount("root", "/tmp", "tmpfs", _NO_SETUID | _NO_DEVICES, "size=1m,mode=755")
    os.mkdir(f"/tmp{_OLD}")
    kernel.pivot_root("/tmp", f"/tmp{_OLD}")
    os.chdir("/")
    os.mkdir(SCRATCH, 0o755)
    for place in library:
        _show(place)
    covers = [folder for folder in covered if os.path.isdir(folder)]
    for folder in covers:
        kernel.mount("cover", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=64k,mode=755")
    for place in packages:
        _show(place)
    kernel.detach(_OLD)
    os.rmdir(_OLD)
    for folder in [*covers, "/"]:
        kernel.mount("none", folder, None, _REMOUNT | _READ_ONLY | _NO_SETUID | _NO_DEVICES)


def cover(folder: str) -> None:
    """Lay an empty read-only folder over this one."""
    kernel.mount("cover", folder, "tmpfs", _READ_ONLY | _NO_SETUID | _NO_DEVICES, "size=4k")


def scratch(size: int, files: int) -> None:
    """Mount an empty scratch directory with room for so many bytes and files, and go there."""
    flags = _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS
    # the directory itself takes one of the entries
    options = f"size={size},nr_inodes={files + 1},mode=700"
    kernel.mount("scratch", SCRATCH, "tmpfs", flags, options)
    os.chdir(SCRATCH)


def _show(place: str) -> None:
    source = _OLD + place
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(source, place, None, _BIND | _RECURSIVE)
    seen = os.statvfs(place).f_flag
    # a less privileged namespace may add to the flags of a mount but not take from them
    kept = seen & _ST_KEPT | (_RELATIME if seen & _ST_RELATIME else 0)
    wanted = kept | _READ_ONLY | _NO_SETUID | _NO_DEVICES
    kernel.mount("none", place, None, _REMOUNT | _BIND | wanted)

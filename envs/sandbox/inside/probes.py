"""Tries each feature that isolation is built from, in a child that is thrown away."""

import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Callable

from . import kernel, seccomp, view

__all__ = ["main"]

_NOBODY = 65534
_ALL = (
    kernel.NEW_USER
    | kernel.NEW_MOUNT
    | kernel.NEW_PID
    | kernel.NEW_NET
    | kernel.NEW_IPC
    | kernel.NEW_UTS
)


def main(_: str) -> None:
    """Print one JSON object: feature -> null where it works, else what went wrong."""
    features: dict[str, Callable[[], None]] = {
        "limits": _limits,
        "no_new_privs": kernel.no_new_privileges,
        "namespaces": _namespaces,
        "view": _view,
        "landlock": _landlock,
        "seccomp": _seccomp,
    }
    if os.geteuid() == 0:
        features |= {"drop": _drop, "namespaces_dropped": _namespaces_dropped}
        features |= {"mount_as_root": _mount_as_root, "library_dropped": _library_dropped}
    found: dict[str, object] = {name: _tried(feature) for name, feature in features.items()}
    print(json.dumps({"abi": kernel.landlock_abi(), "features": found}))


def _tried(feature: Callable[[], None]) -> str | None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        try:
            feature()
        except BaseException as error:
            os.write(writing, str(error).encode()[:300] or b"failed")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode("utf-8", "replace")
    status = os.waitpid(child, 0)[1]
    return said or (f"ended with status {status}" if status else None)


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    try:
        bytearray(2 << 30)
    except MemoryError:
        return
    raise OSError("the limit of memory does not bind")


def _enter(flags: int) -> None:
    user, group = os.geteuid(), os.getegid()
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    kernel.unshare(flags)
    kernel.map_user(proc, user, group)


def _namespaces() -> None:
    # runs get theirs inside of the zygote's, so nesting has to work
    _enter(kernel.NEW_USER | kernel.NEW_MOUNT)
    _enter(_ALL)
    child = os.fork()
    if child == 0:
        os._exit(0 if os.getpid() == 1 else 1)
    if os.waitpid(child, 0)[1]:
        raise OSError("the process namespace does not hide the others")


def _view() -> None:
    _enter(kernel.NEW_USER | kernel.NEW_MOUNT)
    view.build([os.path.dirname(os.__file__)], [], [])
    if os.path.exists("/proc/self"):
        raise OSError("the former root is still in sight")


def _landlock() -> None:
    abi = kernel.landlock_abi()
    if not abi:
        raise OSError("not in this kernel, or off")
    kernel.no_new_privileges()
    kernel.restrict_self(kernel.landlock_ruleset(abi))
    try:
        os.listdir("/")
    except PermissionError:
        return
    raise OSError("it does not bind")


def _seccomp() -> None:
    machine = os.uname().machine
    if machine not in seccomp.SUPPORTED or sys.maxsize < 1 << 32:
        raise OSError(f"no table of system calls for {machine}")
    kernel.no_new_privileges()
    seccomp.install(os.getpid())
    try:
        if os.fork() == 0:
            os._exit(0)
    except OSError as error:
        if error.errno == errno.EPERM:
            return
    raise OSError("it does not bind")


def _drop() -> None:
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    kernel.hide_memory(False)


def _namespaces_dropped() -> None:
    _drop()
    _enter(_ALL)


def _mount_as_root() -> None:
    kernel.unshare(kernel.NEW_MOUNT)
    view.build([os.path.dirname(os.__file__)], [], [])


def _library_dropped() -> None:
    _drop()
    os.listdir(os.path.dirname(os.__file__))

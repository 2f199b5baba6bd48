"""Waits with Python and its libraries loaded and forks one keeper for each run.

The host hands it a socket per run over descriptor 0. It is a fresh interpreter with an empty
environment, so neither its memory nor that of its children holds anything of the host's.
"""

import builtins
import contextlib
import gc
import importlib
import os
import signal
import socket
import sys

from . import keeper, kernel, view
from .plan import Plan

__all__ = ["main"]

_NOBODY = 65534
_STANDARD = (
    "ctypes decimal fractions math cmath itertools functools collections json re random statistics "
    "datetime heapq bisect string textwrap operator typing dataclasses enum abc copy time calendar "
    "hashlib zlib bz2 lzma sqlite3 struct array numbers ast traceback uuid queue threading "
    "unicodedata pickle csv io pprint secrets inspect shutil tempfile pathlib subprocess ssl"
)
"""Mostly modules whose shared libraries are out of reach once the view is narrow."""


def main(plan_text: str) -> None:
    """Prepare as the plan says, then serve until the host closes the socket."""
    plan = Plan.from_json(plan_text)
    desk = socket.socket(fileno=0)
    # runs report on descriptor 3: nothing that they inherit may have that number
    os.open("/", os.O_PATH)
    _preload(plan)
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY) if plan.namespaces else -1
    _narrow(plan, proc)
    walls = keeper.Walls(plan=plan, proc=proc, places=_places(plan))
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    desk.send(b"ready")
    _serve(desk, walls)


def _serve(desk: socket.socket, walls: "keeper.Walls") -> None:
    while True:
        message, descriptors, _, _ = socket.recv_fds(desk, 1, 1)
        if not message:
            return
        for descriptor in descriptors:
            if os.fork() == 0:
                desk.close()
                keeper.keep(socket.socket(fileno=descriptor), walls)
            os.close(descriptor)


def _preload(plan: Plan) -> None:
    site = list(dict.fromkeys(os.path.dirname(place) for place in plan.packages))
    sys.path[:] = [*plan.library, *(f"{p}/lib-dynload" for p in plan.library), *site]
    for name in (*_STANDARD.split(), *plan.preload):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # the site module is off: it would bring these two and the host's packages along
    builtins.exit = builtins.quit = sys.exit  # pyright: ignore[reportAttributeAccessIssue]
    sys.argv, sys.orig_argv[:], sys.executable = [""], [], ""


def _narrow(plan: Plan, proc: int) -> None:
    user, group = os.geteuid(), os.getegid()
    os.chdir("/")
    if plan.view:
        if user == 0 and plan.drop:
            kernel.unshare(kernel.NEW_MOUNT)
        else:
            kernel.unshare(kernel.NEW_USER | kernel.NEW_MOUNT)
            kernel.map_user(proc, user, group)
        view.build(list(plan.library), list(plan.covered), list(plan.packages))
    if plan.drop:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    kernel.hide_memory(True)
    _list_folders_once()


def _list_folders_once() -> None:
    # runs may not list these folders; finders that have seen them do not need to
    importlib.invalidate_caches()
    with contextlib.suppress(ImportError):
        importlib.import_module("no_module_of_this_name")


def _places(plan: Plan) -> tuple[int, ...]:
    """Open what a run may read: the library's entries one by one, so that the rest stays shut."""
    shut = {*plan.covered, *(f"{folder}/__pycache__" for folder in plan.library)}
    wanted = list(plan.packages)
    for folder in plan.library:
        entries = {f"{folder}/{name}" for name in os.listdir(folder)} - shut
        # links out of the library would open what they lead to
        wanted += [e for e in sorted(entries) if os.path.realpath(e).startswith(f"{folder}/")]
    return tuple(os.open(entry, os.O_PATH) for entry in wanted) if plan.landlock else ()

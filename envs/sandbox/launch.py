"""Starts zygotes: which interpreter, which folders, and the command line, bubblewrap's included."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import weakref
from dataclasses import replace
from pathlib import Path

from .errors import SandboxFailed
from .inside.plan import Plan

__all__ = ["PACKAGES", "Zygote", "bubblewrap", "command", "furnish", "start"]

PACKAGES = ("mpmath", "numpy", "sympy")
"""Packages that the code may import where they are installed."""

_PACKAGE = Path(__file__).parent
_BOOT = "import sys; sys.path.append({place!r}); from inside.{module} import main; main({word!r})"
_START_SECONDS = 60.0
# one thread: the number of threads of a numeric library would count against the walls
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/lib32", "/etc/ld.so.cache")


class Zygote:
    """A running zygote and the socket that requests for runs go to."""

    def __init__(self, process: "subprocess.Popen[bytes]", desk: socket.socket) -> None:
        self.desk = desk
        self.stop = weakref.finalize(self, _stop, process, desk)
        """End it; also done when it is forgotten or the interpreter ends."""


def _stop(process: "subprocess.Popen[bytes]", desk: socket.socket) -> None:
    desk.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def furnish(plan: Plan, packages: tuple[str, ...] = PACKAGES) -> Plan:
    """The plan with the folders of this interpreter and of the packages found in it."""
    # real paths: entries that are links out of the library are told by theirs
    stdlib = sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix})
    library = os.path.realpath(stdlib)
    site = [Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")]
    found = [
        str(folder)
        for parent in dict.fromkeys(site)
        for name in packages
        for folder in (parent / name, parent / f"{name}.libs")
        if folder.is_dir()
    ]
    return replace(
        plan,
        library=(library,),
        covered=(f"{library}/site-packages", f"{library}/dist-packages"),
        packages=tuple(found),
        preload=packages,
    )


def start(plan: Plan) -> Zygote:
    """Start a zygote and wait until it is ready."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        process = subprocess.Popen(
            command("zygote", plan.to_json(), plan if plan.bubblewrap else None),
            stdin=there.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    zygote = Zygote(process, here)
    here.settimeout(_START_SECONDS)
    if _ready(here):
        here.settimeout(None)
        assert process.stderr is not None
        process.stderr.close()
        return zygote
    process.kill()
    said = process.communicate()[1].decode("utf-8", "replace").strip().splitlines()
    zygote.stop()
    raise SandboxFailed(f"the sandbox did not start: {said[-1] if said else 'no word from it'}")


def _ready(desk: socket.socket) -> bool:
    try:
        return desk.recv(16) == b"ready"
    except (TimeoutError, ConnectionError):
        return False


def command(module: str, word: str, inside_bubblewrap: Plan | None = None) -> list[str]:
    """Command line that runs `inside.<module>` with one word in a bare interpreter."""
    # isolated mode would ignore the fixed hash seed along with the rest of an empty environment
    flags = ["-s", "-S", "-P", "-B", "-X", "utf8"]
    boot = _BOOT.format(place=str(_PACKAGE), module=module, word=word)
    inner = [_interpreter(), *flags, "-c", boot]
    return inner if inside_bubblewrap is None else [*bubblewrap(inside_bubblewrap), *inner]


def bubblewrap(plan: Plan) -> list[str]:
    """The bubblewrap part of a command line: library, packages and loader, read-only."""
    program = shutil.which("bwrap") or "bwrap"
    words = [program, "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
    words += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in _ENVIRONMENT.items():
        words += ["--setenv", name, value]
    for place in (*_LIBRARIES, *_interpreter_files(), *plan.library):
        words += ["--ro-bind-try", place, place]
    hidden = [p for p in (*plan.covered, "/usr/lib/python3/dist-packages") if os.path.isdir(p)]
    for place in hidden:
        words += ["--tmpfs", place]
    for place in (*plan.packages, str(_PACKAGE / "inside")):
        words += ["--ro-bind", place, place]
    for place in hidden:
        words += ["--remount-ro", place]
    if plan.namespaces:
        words += ["--proc", "/proc"]
    return [*words, "--dir", "/scratch", "--remount-ro", "/", "--chdir", "/", "--"]


def _interpreter() -> str:
    """The interpreter behind any virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _interpreter_files() -> list[str]:
    folder = sysconfig.get_config_var("LIBDIR") or ""
    shared = sysconfig.get_config_var("INSTSONAME") or ""
    return [_interpreter(), *([f"{folder}/{shared}"] if ".so" in shared else [])]

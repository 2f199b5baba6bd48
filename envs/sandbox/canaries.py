"""Small attacks, one handful per level, judged by their effect on the host."""

import os
import socket
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .inside.plan import Plan
from .local import LocalSandbox
from .types import Limits, Outcome

__all__ = ["proved_level"]

_LIMITS = Limits(seconds=5.0, cpu_seconds=5)
_CONNECT = "import socket; socket.create_connection(('127.0.0.1', {port}), 2).sendall(b'x')"
_READ = "print(open({path!r}).read())"
_WRITE = "open({path!r}, 'w').write('x')"
_FORK = "import os\nif os.fork() == 0:\n    print('forked', flush=True)"
_THREAD = "import threading; threading.Thread(target=print, args=('started',)).start()"


def proved_level(plan: Plan) -> tuple[int, str]:
    """Up to which level the sandbox of this plan withstands, and what broke the next one."""
    with LocalSandbox(plan) as sandbox:
        for level in range(1, plan.level + 1):
            broken = _CHECKS[level](sandbox)
            if broken:
                return level - 1, broken
    return plan.level, ""


def _bounded(sandbox: LocalSandbox) -> str:
    plain = sandbox.run("print(6 * 7)", _LIMITS)
    if (plain.output, plain.error) != ("42\n", None):
        return f"plain code does not run: {plain.error}"
    greedy = sandbox.run("bytearray(4 << 30)", _LIMITS)
    endless = sandbox.run("while True: pass", Limits(seconds=0.1))
    if greedy.status == "ok" or not endless.timed_out:
        return "memory or time is not bounded"
    return ""


def _no_network(sandbox: LocalSandbox) -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        sandbox.run(_CONNECT.format(port=server.getsockname()[1]), _LIMITS)
        try:
            server.accept()[0].close()
        except TimeoutError:
            return ""
    return "code reached a server of the host"


def _no_files(sandbox: LocalSandbox) -> str:
    with _open_folder() as folder:
        secret = folder / "secret"
        secret.write_text("canary")
        secret.chmod(0o644)
        read = sandbox.run(_READ.format(path=str(secret)), _LIMITS)
        sandbox.run(_WRITE.format(path=str(folder / "written")), _LIMITS)
        if "canary" in read.output or (folder / "written").exists():
            return "code read or wrote a file of the host"
    return ""


def _no_processes(sandbox: LocalSandbox) -> str:
    for code in (_FORK, _THREAD):
        outcome: Outcome = sandbox.run(code, _LIMITS)
        if outcome.error is None or outcome.output:
            return "code started a process or thread"
    return ""


_CHECKS = {1: _bounded, 2: _no_network, 3: _no_files, 4: _no_processes}


@contextmanager
def _open_folder() -> Generator[Path]:
    """A folder that any user may enter and write, so that only the walls can be in the way."""
    with tempfile.TemporaryDirectory(prefix="gigym-canary-") as name:
        os.chmod(name, 0o777)
        yield Path(name)

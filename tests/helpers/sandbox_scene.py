"""What an attack could damage on the host, and a look at whether it has."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox_attacks import Attack

from gigym.envs.sandbox import Outcome, Sandbox

TOKEN = "gigym-secret-5f3a9c"
PROJECT = Path(__file__).parents[2]
ABSTRACT = f"gigym-attack-{os.getpid()}"
OUTSIDE = (Path("/tmp/gigym-attack"), Path("/dev/shm/gigym"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    folder: Path
    sockets: tuple[socket.socket, ...]
    decoy: "subprocess.Popen[bytes]"
    before: dict[str, object]

    def fill(self, code: str) -> str:
        tcp, udp = (s.getsockname()[1] for s in self.sockets[:2])
        words = {"FOLDER": self.folder, "PORT": tcp, "UDP": udp, "PROJECT": PROJECT}
        words |= {"PID": os.getpid(), "DECOY": self.decoy.pid, "ABSTRACT": ABSTRACT}
        for name, value in words.items():
            code = code.replace(f"@{name}@", str(value))
        return code

    def damage(self, outcome: Outcome) -> str:
        """What is not as it was, in words; empty when all is well."""
        said = outcome.output + str(outcome.error)
        if TOKEN in said or "root:x:" in said:
            return "a secret came out"
        if self.decoy.poll() is not None or _state(self.decoy.pid) == "T":
            return "the bystander was hit"
        if look(self.folder) != self.before or any(path.exists() for path in OUTSIDE):
            return "files of the host changed"
        if any(contacted(s) for s in self.sockets):
            return "a socket of the host was reached"
        return ""


def verdict(scene: Scene, sandbox: Sandbox, attack: Attack) -> str:
    """Run one attack; why it counts as not stopped, or nothing."""
    outcome = sandbox.run(scene.fill(attack.code), attack.limits)
    damage = scene.damage(outcome)
    if damage:
        return f"{attack.name}: {damage}: {outcome}"
    if outcome.status not in attack.ends or "PWNED" in outcome.output:
        return f"{attack.name}: not stopped: {outcome}"
    if not attack.raw and "tried" not in outcome.output:
        return f"{attack.name}: did not get to its point: {outcome}"
    if outcome.seconds > attack.limits.seconds + 0.5:
        return f"{attack.name}: ran {outcome.seconds} s of {attack.limits.seconds}"
    if len(outcome.output) > attack.limits.output_chars:
        return f"{attack.name}: {len(outcome.output)} characters came out"
    return ""


@contextlib.contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """A secret, sockets and a bystander that any user could reach, were it not for the walls."""
    folder.chmod(0o777)
    secret = folder / "secret"
    secret.write_text(TOKEN)
    secret.chmod(0o666)
    with contextlib.ExitStack() as stack:
        sockets = tuple(stack.enter_context(s) for s in _sockets(folder))
        decoy = stack.enter_context(subprocess.Popen([sys.executable, "-c", _DECOY]))
        try:
            yield Scene(folder=folder, sockets=sockets, decoy=decoy, before=look(folder))
        finally:
            decoy.kill()


_DECOY = "import os, time\nif os.getuid() == 0: os.setresuid(65534, 65534, 65534)\ntime.sleep(600)"


def look(folder: Path) -> dict[str, object]:
    kept = {}
    for path in sorted(folder.iterdir()):
        seen = path.lstat()
        text = path.read_bytes() if path.is_file() else b""
        kept[path.name] = (seen.st_mode, seen.st_uid, seen.st_mtime_ns, seen.st_nlink, text)
    return kept


def contacted(place: socket.socket) -> bool:
    """Whether anything has come to a socket that listens."""
    try:
        if place.type == socket.SOCK_DGRAM:
            return bool(place.recv(1))
        place.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def processes(word: str) -> set[int]:
    """Processes of this machine, not yet ended, whose command line holds the word."""
    found = set[int]()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and word in (entry / "cmdline").read_text(errors="replace"):
                found.add(int(entry.name))
    return found


def settles(word: str, expected: set[int], seconds: float = 1.0) -> bool:
    """Whether within that time no other process than the expected ones is left."""
    deadline = time.monotonic() + seconds
    while processes(word) - expected:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _sockets(folder: Path) -> Iterator[socket.socket]:
    for family, kind, address in (
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{ABSTRACT}"),
    ):
        place = socket.socket(family, kind)
        place.setblocking(False)
        place.bind(address)
        if kind == socket.SOCK_STREAM:
            place.listen()
        yield place
    (folder / "socket").chmod(0o777)

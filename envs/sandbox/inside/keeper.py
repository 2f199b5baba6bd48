"""Watches one run from outside of its walls: deadline, output, end; then tells the host.

All that it tells is what it saw itself, but for the wording of the error, which the run sends
through a pipe of its own and which is cut and freed of the library's paths here.
"""

import json
import os
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass, field

from . import child, kernel
from .plan import Plan, Request

__all__ = ["Walls", "keep"]

_SETUP_SECONDS = 20.0
_MAX_REPORT = 4096
_MAX_ERROR = 1000
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What every run of one zygote stands behind."""

    plan: Plan
    """The layers."""
    proc: int
    """Descriptor of /proc; -1 without namespaces."""
    places: tuple[int, ...]
    """Descriptors of what may be read under Landlock."""


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What the keeper has seen of a run so far."""

    pid: int
    output: int
    report: int
    host: int
    life: int
    started: float = 0.0
    killed: str | None = None
    text: bytearray = field(default_factory=bytearray)
    said: bytearray = field(default_factory=bytearray)


def keep(host: socket.socket, walls: Walls) -> None:
    """Serve the one request that comes over `host`; does not return."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        host.settimeout(_SETUP_SECONDS)
        answer = _run(host, Request(**json.loads(_receive(host))), walls)
    except Exception as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    body = json.dumps(answer).encode()
    try:
        host.settimeout(_SETUP_SECONDS)
        host.sendall(struct.pack("!Q", len(body)) + body)
    finally:
        os._exit(0)


def _receive(host: socket.socket) -> bytes:
    size = int(struct.unpack("!Q", _exactly(host, 8))[0])
    return _exactly(host, size)


def _exactly(host: socket.socket, size: int) -> bytes:
    body = bytearray()
    while len(body) < size:
        piece = host.recv(min(_CHUNK, size - len(body)))
        if not piece:
            raise EOFError("the host hung up")
        body += piece
    return bytes(body)


def _run(host: socket.socket, request: Request, walls: Walls) -> dict[str, object]:
    output, report = os.pipe(), os.pipe()
    if walls.plan.namespaces:
        user, group = os.geteuid(), os.getegid()
        own = kernel.NEW_USER | kernel.NEW_PID | kernel.NEW_NET
        kernel.unshare(own | kernel.NEW_IPC | kernel.NEW_UTS | kernel.NEW_MOUNT)
        # a hidden process may not write its own maps
        kernel.hide_memory(False)
        kernel.map_user(walls.proc, user, group)
        kernel.hide_memory(True)
    pid = os.fork()
    if pid == 0:
        child.run(request, walls.plan, walls.places, (output[1], report[1]))
    for descriptor in (output[1], report[1]):
        os.close(descriptor)
    for descriptor in (output[0], report[0]):
        os.set_blocking(descriptor, False)
    watch = _Watch(
        pid=pid, output=output[0], report=report[0], host=host.fileno(), life=os.pidfd_open(pid)
    )
    _watch(watch, request)
    _kill(watch)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - watch.started
    _drain(watch, request)
    return _answer(watch, status, usage.ru_utime + usage.ru_stime, seconds, (request, walls.plan))


def _watch(watch: _Watch, request: Request) -> None:
    """Read and wait until the run has ended or has to."""
    deadline = time.monotonic() + _SETUP_SECONDS
    waiting = [watch.output, watch.report, watch.host, watch.life]
    while watch.killed is None:
        ready = select.select(waiting, [], [], max(0.0, deadline - time.monotonic()))[0]
        if watch.report in ready and not _read(watch.report, watch.said, _MAX_REPORT):
            waiting.remove(watch.report)
        if not watch.started and watch.said:
            watch.started = time.monotonic()
            deadline = watch.started + request.seconds
        if watch.output in ready and not _read(watch.output, watch.text, request.output_chars + 1):
            waiting.remove(watch.output)
        if watch.life in ready:
            return
        watch.killed = _reason(watch, request, deadline, watch.host in ready)


def _reason(watch: _Watch, request: Request, deadline: float, host_spoke: bool) -> str | None:
    if host_spoke:
        return "host"
    if len(watch.text) > request.output_chars:
        return "output"
    return "time" if time.monotonic() >= deadline else None


def _read(descriptor: int, into: bytearray, cap: int) -> bool:
    """Take what is there up to the cap and drop the rest; false at the end of the pipe."""
    try:
        piece = os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return True
    into += piece[: max(0, cap - len(into))]
    return bool(piece)


def _kill(watch: _Watch) -> None:
    for send, target in ((os.killpg, watch.pid), (os.kill, watch.pid)):
        try:
            send(target, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _drain(watch: _Watch, request: Request) -> None:
    """Read what the pipes still hold; no more than they can, for a writer may have survived."""
    for _ in range(64):
        _read(watch.output, watch.text, request.output_chars + 1)
        _read(watch.report, watch.said, _MAX_REPORT)
    if watch.killed is None and len(watch.text) > request.output_chars:
        watch.killed = "output"


def _answer(
    watch: _Watch, status: int, cpu: float, seconds: float, about: tuple[Request, Plan]
) -> dict[str, object]:
    request, plan = about
    if not watch.said.startswith(child.STARTED):
        return {"failed": "the walls did not go up: " + _clean(watch.said.decode(), plan)}
    if watch.killed is None and os.WIFSIGNALED(status):
        spent = cpu >= request.cpu_seconds - 0.1
        watch.killed = "cpu" if spent else f"signal {os.WTERMSIG(status)}"
    return {
        "output": watch.text[: request.output_chars].decode("utf-8", "replace"),
        "error": _reported(watch, status, plan) if watch.killed is None else None,
        "killed": watch.killed,
        "seconds": seconds,
    }


def _reported(watch: _Watch, status: int, plan: Plan) -> str | None:
    """The error that the run reports; without a report it went away by itself."""
    try:
        text = json.loads(watch.said[len(child.STARTED) :])
    except ValueError:
        return f"SystemExit: the process left with exit code {os.waitstatus_to_exitcode(status)}"
    return None if text is None else _clean(str(text), plan)


def _clean(text: str, plan: Plan) -> str:
    for place in plan.packages:
        text = text.replace(os.path.dirname(place), "<packages>")
    for place in plan.library:
        text = text.replace(place, "<python>")
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _MAX_ERROR else text[:_MAX_ERROR] + "..."

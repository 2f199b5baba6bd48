"""A sandbox of this machine: one zygote, a fresh walled-in process for each run.

It puts up the layers of a plan and promises nothing about them; `strength` finds and proves plans.
"""

import json
import os
import socket
import struct
import threading
from dataclasses import asdict

from .errors import SandboxFailed
from .inside.plan import Plan
from .launch import Zygote, furnish, start
from .types import Limits, Outcome

__all__ = ["LocalSandbox"]

_MAX_CODE = 1 << 20
_MARGIN_SECONDS = 30.0


class LocalSandbox:
    """Runs code behind the layers of `plan`; the zygote starts at the first run."""

    def __init__(self, plan: Plan, *, level: int | None = None) -> None:
        self._plan = plan if plan.library else furnish(plan)
        self._level = self._plan.level if level is None else level
        self._zygote: Zygote | None = None
        self._renew()

    @property
    def level(self) -> int:
        """Level of isolation that was found to hold."""
        return self._level

    def run(self, code: str, limits: Limits) -> Outcome:
        """Run `code` in a fresh interpreter and say what came of it."""
        if len(code) > _MAX_CODE:
            words = f"the code has {len(code)} characters, more than the {_MAX_CODE} that are run"
            return self._outcome({"output": "", "error": f"ValueError: {words}", "seconds": 0.0})
        if self._owner != os.getpid():
            self._renew()
        request = json.dumps({"code": code, **asdict(limits)}).encode()
        with self._places:
            return self._outcome(self._answer(request, limits.seconds + _MARGIN_SECONDS))

    def close(self) -> None:
        """End the zygote; the next run starts another."""
        with self._lock:
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.stop()

    def __enter__(self) -> "LocalSandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _renew(self) -> None:
        # a process forked from this one shares the zygote, but its locks may be held by no one
        self._owner = os.getpid()
        self._lock = threading.Lock()
        # a run that waits for a processor would lose its wall time to the others
        self._places = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

    def _answer(self, request: bytes, seconds: float) -> dict[str, object]:
        try:
            return self._asked(request, seconds)
        except (OSError, EOFError):
            # the zygote may have been ended from outside: once more with a fresh one
            self.close()
        try:
            return self._asked(request, seconds)
        except (OSError, EOFError) as error:
            raise SandboxFailed(f"the sandbox gave no answer: {error}") from error

    def _asked(self, request: bytes, seconds: float) -> dict[str, object]:
        here, there = socket.socketpair()
        with here:
            with there:
                self._hand_over(there)
            here.settimeout(seconds)
            here.sendall(struct.pack("!Q", len(request)) + request)
            return json.loads(_receive(here))

    def _hand_over(self, there: socket.socket) -> None:
        with self._lock:
            if self._zygote is None:
                self._zygote = start(self._plan)
            socket.send_fds(self._zygote.desk, [b"."], [there.fileno()])

    def _outcome(self, answer: dict[str, object]) -> Outcome:
        if "failed" in answer:
            raise SandboxFailed(f"the sandbox broke: {answer['failed']}; see: gigym doctor")
        killed = answer.get("killed")
        error = answer["error"] if killed is None else _ENDED.get(str(killed), f"ended by {killed}")
        return Outcome(
            output=str(answer["output"]),
            error=None if error is None else str(error),
            timed_out=killed in ("time", "cpu"),
            seconds=float(str(answer["seconds"])),
            killed=None if killed is None else str(killed),
            level=self._level,
        )


_ENDED = {
    "time": "TimeoutError: ran past its wall time",
    "cpu": "TimeoutError: ran past its processor time",
    "output": "OutputLimit: printed more than may be printed",
}


def _receive(connection: socket.socket) -> bytes:
    return _exactly(connection, int(struct.unpack("!Q", _exactly(connection, 8))[0]))


def _exactly(connection: socket.socket, size: int) -> bytes:
    body = bytearray()
    while len(body) < size:
        piece = connection.recv(size - len(body))
        if not piece:
            raise EOFError("it hung up")
        body += piece
    return bytes(body)

"""A helper process of ours that answers one JSON line per JSON line, within a deadline.

It exists for work that may hang or grow without end (symbolic comparison, foreign scorers): past
the deadline the process is killed and the next question starts a fresh one. One helper serves all
threads of this process, in turn.
"""

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ..types import JsonValue

START_SECONDS = 60.0
"""For the helper's imports, which are no part of a question's deadline."""


class HelperTimeout(TimeoutError):
    """No answer within the deadline; the helper was killed."""


class HelperDied(ConnectionError):
    """The helper ended without an answer."""


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    lines: "queue.SimpleQueue[bytes]"
    owner: int
    """Process that started it: after a fork the pipes belong to the parent."""


class Helper:
    """Runs one of this package's scripts and asks it questions."""

    def __init__(self, script: Path) -> None:
        self._script = script
        self._lock = threading.Lock()
        self._running: _Running | None = None
        # A lock that another thread held at the time of a fork is never released in the child.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def ask(self, question: JsonValue, seconds: float) -> JsonValue:
        """The helper's answer. Raises `HelperTimeout` or `HelperDied`, after which it is gone."""
        with self._lock:
            running = self._running or self._start()
            self._running = running
            try:
                return _exchange(running, question, seconds)
            except (HelperTimeout, HelperDied):
                self._kill()
                raise

    def close(self) -> None:
        """End the helper; the next question starts another."""
        with self._lock:
            self._kill()

    def _start(self) -> _Running:
        # -P keeps the working directory off the path: a stray sympy.py there is not ours.
        process = subprocess.Popen(
            [sys.executable, "-P", str(self._script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        pipe = cast("IO[bytes]", process.stdout)
        threading.Thread(target=_read, args=(pipe, lines), daemon=True).start()
        running = _Running(process=process, lines=lines, owner=os.getpid())
        try:
            _next_line(running, START_SECONDS)
        except (HelperTimeout, HelperDied):
            self._running = running
            self._kill()
            raise
        return running

    def _kill(self) -> None:
        running, self._running = self._running, None
        if running is None or running.owner != os.getpid():
            return
        running.process.kill()
        running.process.wait()
        cast("IO[bytes]", running.process.stdin).close()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._running = None


def _exchange(running: _Running, question: JsonValue, seconds: float) -> JsonValue:
    pipe = cast("IO[bytes]", running.process.stdin)
    try:
        pipe.write(json.dumps(question).encode("ascii") + b"\n")
        pipe.flush()
    except OSError:
        raise HelperDied("the helper process has ended") from None
    return json.loads(_next_line(running, seconds))


def _next_line(running: _Running, seconds: float) -> bytes:
    try:
        line = running.lines.get(timeout=seconds)
    except queue.Empty:
        raise HelperTimeout(f"no answer within {seconds} s") from None
    if not line.endswith(b"\n"):
        raise HelperDied("the helper process has ended")
    return line


def _read(pipe: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    """Pass lines on; an empty one says that the process has ended."""
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(b"")

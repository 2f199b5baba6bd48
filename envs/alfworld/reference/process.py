"""The child process that plays TextWorld: started, asked and ended, never waited for endlessly.

Comes in: requests as JSON data. Goes out: the answers. The channel is a socket on which every
wait has a deadline; a child that missed one is killed, because what it would still answer is of
no use. What a session is stands in session.py, what the child does in worker.py.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from ...errors import EngineFailed
from ...types import JsonValue

Answer = dict[str, JsonValue]

START_SECONDS = 120.0
"""For importing TextWorld, which takes a second on an idle machine."""
ANSWER_SECONDS = 120.0
"""For one answer; loading the largest official game takes half a second."""
_SCRIPT = Path(__file__).with_name("worker.py")
_CHUNK = 1 << 18
_TOLD = 600
"""Characters of the child's last words that an error repeats."""


class EngineDied(EngineFailed):
    """The engine's process ended; its games can be played again in another one."""


class Worker:
    """One child process. Not for several threads at once; session.py takes turns."""

    def __init__(self, *, stock: bool = False) -> None:
        """Raises `EngineFailed` when the engine cannot be imported there."""
        ours, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop
        self._buffer = b""
        self._channel = ours
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(_SCRIPT), *(["--stock"] if stock else [])],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
            )
        self._receive(time.monotonic() + START_SECONDS)

    def ask(self, request: Mapping[str, JsonValue]) -> Answer:
        """Send a request and wait for its answer.

        Raises `EngineDied` when the child is gone, `EngineFailed` when it missed the deadline.
        """
        until = time.monotonic() + ANSWER_SECONDS
        try:
            self._channel.settimeout(ANSWER_SECONDS)
            self._channel.sendall(json.dumps(request).encode("ascii") + b"\n")
        except TimeoutError:
            raise self._late(ANSWER_SECONDS) from None
        except OSError:
            raise self._died() from None
        return self._receive(until)

    def stop(self) -> None:
        """End the child at once; it holds nothing worth saving."""
        self._channel.close()
        self.process.kill()
        self.process.wait()
        self._errors.close()

    def abandon(self) -> None:
        """Let go of a child that belongs to the process this one was forked from."""
        self._channel.close()
        self._errors.close()
        self.process.returncode = 0

    def _receive(self, until: float) -> Answer:
        while b"\n" not in self._buffer:
            left = until - time.monotonic()
            try:
                self._channel.settimeout(max(left, 0.001))
                chunk = self._channel.recv(_CHUNK)
            except TimeoutError:
                raise self._late(ANSWER_SECONDS) from None
            except OSError:
                chunk = b""
            if not chunk:
                raise self._died()
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return cast("Answer", json.loads(line))

    def _late(self, seconds: float) -> EngineFailed:
        words = self._last_words()
        self.stop()
        return EngineFailed(
            f"the TextWorld engine gave no answer within {seconds:g} s and was ended{words}; "
            "the next command starts it again"
        )

    def _died(self) -> EngineDied:
        words = self._last_words()
        self.stop()
        return EngineDied(f"the TextWorld engine ended unexpectedly{words}")

    def _last_words(self) -> str:
        size = self._errors.seek(0, 2)
        self._errors.seek(max(0, size - _TOLD))
        words = self._errors.read().decode("utf-8", "replace").strip()
        return f": {words}" if words else ""

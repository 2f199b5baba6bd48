"""A server as a user starts it: a process of `gigym serve`, and what it said when it was ready."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELPERS = str(Path(__file__).parent)
COMMAND = [sys.executable, "-m", "gigym.cli", "serve"]
GAME = ("Corridor-v0", "--import", "corridor_env")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server process."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    """The line it printed."""

    @property
    def url(self) -> str:
        return self.ready["url"]

    def ended(self, sig: signal.Signals = signal.SIGTERM, within_s: float = 20) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(sig)
        return self.process.wait(within_s)

    def log(self) -> list[dict[str, Any]]:
        """What it logged; to be asked once it has ended."""
        assert self.process.stderr is not None
        return [json.loads(line) for line in self.process.stderr.read().splitlines()]


@contextmanager
def served(*words: str, port: str = "0") -> Iterator[Served]:
    process = subprocess.Popen(
        [*COMMAND, *words, "--port", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": HELPERS},
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Served(process=process, ready=json.loads(line))
    finally:
        process.kill()
        process.communicate(timeout=30)

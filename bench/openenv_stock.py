"""OpenEnv as published, in an interpreter of its own: found, or installed on demand.

`$GIGYM_OPENENV_PYTHON` names an interpreter that has it, or is `none` to do without; else that of
`.venv-openenv` in the checkout is taken, else one is made in the cache of the user.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from .load import Figures

_VARIABLE = "GIGYM_OPENENV_PYTHON"
_RELEASE = "openenv==0.10.0"
_CHECKOUT = Path(__file__).parents[1]
_SIDE = Path(__file__).with_name("openenv_side.py")
_INSTALL_S = 900.0
_START_S = 120.0
_ROUND_S = 300.0


class NoStock(Exception):
    """OpenEnv cannot be had here; says why."""


def stock_python() -> Path:
    """An interpreter that has OpenEnv, installed now if there is none. Raises `NoStock`."""
    named = os.environ.get(_VARIABLE)
    if named == "none":
        raise NoStock(f"{_VARIABLE} is none")
    if named:
        if not Path(named).is_file():
            raise NoStock(f"{_VARIABLE} names {named}, where there is nothing")
        return Path(named)
    beside = _CHECKOUT / ".venv-openenv"
    return _python_of(beside if (beside / "ready").exists() else _installed())


def _installed() -> Path:
    """A virtual environment in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "gigym" / _RELEASE.replace("==", "-")
    if (folder / "ready").exists():
        return folder
    print(f"installing {_RELEASE} into {folder}, 500 MB; this is done once", file=sys.stderr)
    pins = _CHECKOUT / "constraints" / "openenv.txt"
    tested = ["-c", str(pins)] if pins.exists() else []
    pip = [str(_python_of(folder)), "-m", "pip", "install", "--quiet", *tested, _RELEASE]
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], pip):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoStock(f"{_RELEASE} could not be installed: {error}") from None
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise NoStock(f"{_RELEASE} could not be installed: {' '.join(last)}")
    (folder / "ready").touch()
    return folder


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


class Stock:
    """Their server and their client, in two processes, for as long as a `with` block lasts."""

    def __init__(self, python: Path, sessions: int) -> None:
        self._server = _Side(python, "serve", str(sessions))
        self._load = _Side(python, "load")
        self._url = ""

    def __enter__(self) -> Self:
        try:
            self._url = self._server.line(_START_S)
            self._load.line(_START_S)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both; calling twice is fine."""
        self._load.end()
        self._server.end()

    def measure(self, sessions: int, seconds: float) -> Figures:
        """One round. Raises `NoStock` when a side ends or does not answer."""
        self._load.say({"url": self._url, "sessions": sessions, "seconds": seconds})
        return json.loads(self._load.line(_ROUND_S))


class _Side:
    """One of the two processes."""

    def __init__(self, python: Path, *words: str) -> None:
        clean = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        self._process = subprocess.Popen(
            [str(python), "-P", str(_SIDE), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean,
        )

    def say(self, what: object) -> None:
        told = cast("IO[str]", self._process.stdin)
        told.write(json.dumps(what) + "\n")
        told.flush()

    def line(self, patience_s: float) -> str:
        """The next line it prints. Raises `NoStock` when none comes in time."""
        too_late = threading.Timer(patience_s, self._process.kill)
        too_late.start()
        try:
            said = cast("IO[str]", self._process.stdout).readline().strip()
        finally:
            too_late.cancel()
        if not said:
            raise NoStock(f"OpenEnv's side ended, or was silent for {patience_s:g} s")
        return said

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

"""Records of the sandbox: what a run may use, what it came to, and how strong the walls are.

Every field of an `Outcome` but `output` and the wording of `error` is measured from outside of
the process that runs the code, so the code cannot claim to have been stopped or not stopped.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

__all__ = ["Limits", "Outcome", "Report", "Row", "Sandbox", "Status"]

Status = Literal["ok", "error", "timeout", "output_limit", "memory", "killed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use; a run that wants more is ended."""

    seconds: float = 5.0
    """Wall time from the first line of the code."""
    cpu_seconds: int = 5
    """Processor time."""
    memory_bytes: int = 512 << 20
    """Address space of the process, interpreter included."""
    output_chars: int = 64 << 10
    """Bytes of standard output and error together; past it the run is ended."""
    file_bytes: int = 1 << 20
    """Size of one file in the scratch directory."""
    files: int = 8
    """Files and directories in the scratch directory."""
    descriptors: int = 64
    """Open file descriptors."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if not 0 < value < 1 << 62:
                raise ValueError(f"{name} of the sandbox's limits must be above 0: got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run came to."""

    output: str
    """Standard output and error in the order written, cut at the limit; invalid UTF-8 is U+FFFD."""
    error: str | None
    """Last line of the traceback with its line number, or why the run was ended; None: no error."""
    timed_out: bool
    """The wall or processor time ran out."""
    seconds: float
    """Wall time of the run."""
    killed: str | None
    """Why the run was ended from outside: "time", "cpu", "output" or "signal N"; None: it ended."""
    level: int = 0
    """Level of isolation under which the code ran."""

    @property
    def status(self) -> Status:
        """The outcome in one word."""
        if self.timed_out:
            return "timeout"
        if self.killed is not None:
            return "output_limit" if self.killed == "output" else "killed"
        if self.error is None:
            return "ok"
        return "memory" if self.error.startswith("MemoryError") else "error"


class Sandbox(Protocol):
    """Runs Python code of unknown intent; safe to call from several threads at once."""

    @property
    def level(self) -> int:
        """Level of isolation, 0 (none) to 4 (full)."""
        ...

    def run(self, code: str, limits: Limits) -> Outcome:
        """Run `code` in a fresh interpreter and say what came of it; never raises for bad code."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One feature of the host that isolation is built from."""

    name: str
    """The feature in a word."""
    works: bool
    """A throw-away process has used it with success."""
    detail: str
    """What was found."""
    remedy: str
    """What to do where it does not work; empty where it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How strong a sandbox this host can give."""

    level: int
    """0 none, 1 process limits, 2 no network, 3 no host files, 4 no new processes either."""
    rows: tuple[Row, ...]
    """The features looked at, in the order they are built up."""

    def works(self, name: str) -> bool:
        """Whether the feature of this name works."""
        return any(row.works for row in self.rows if row.name == name)

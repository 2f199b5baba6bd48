"""What a server writes down: one JSON object a line on stderr, a short text where a person reads.

    {"t": 1767.5, "level": "info", "event": "draining", "sessions": 3}

Neither tokens nor what is played is logged: of an error the class and the places in the code are
kept, its text only at `debug`. Lines are written by a thread of their own; when stderr is slow,
full or gone, lines are dropped and counted, and the server goes on.
"""

import asyncio
import contextlib
import json
import logging
import os
import queue
import threading
import traceback
from collections import Counter
from collections.abc import Generator

from ..envs.types import JsonValue
from .watch import Cut, End, EpisodeEnd, Watch

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
LOG = logging.getLogger("gigym.servers")
_QUEUED = 4096
_LAST_WORDS_S = 1.0
_SUMMARY_S = 10.0
_FOREIGN = ("uvicorn.error", "asyncio")
# uvicorn says so of every socket that was refused with an HTTP answer.
_NOISE = "ASGI callable returned without completing handshake."
_FIELDS = "fields"


def log_event(level: int, event: str, **fields: JsonValue) -> None:
    """Write an event down."""
    LOG.log(level, event, extra={_FIELDS: fields})


@contextlib.contextmanager
def logging_to(fd: int, level: str) -> Generator[None, None, None]:
    """Events of this server, and what uvicorn and asyncio complain of, go to the descriptor."""
    writer = Writer(fd, texts=level == "debug")
    loggers = [LOG, *map(logging.getLogger, _FOREIGN)]
    held = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(writer)
        logger.propagate = False
        # At lower levels uvicorn shows headers and queries, and tokens with them.
        logger.setLevel(LEVELS[level] if logger is LOG else logging.WARNING)
    try:
        yield
    finally:
        for logger, number, propagate in held:
            logger.removeHandler(writer)
            logger.propagate = propagate
            logger.setLevel(number)
        writer.close()


class Writer(logging.Handler):
    """Renders records and has a thread write them; `texts`: with the texts of errors."""

    def __init__(self, fd: int, *, texts: bool) -> None:
        super().__init__()
        # Not through sys.stderr: its lock, held by a write that waits, would spoil the exit.
        self._fd = os.dup(fd)
        self._render = as_text if os.isatty(fd) else json.dumps
        self._texts = texts
        self._lines = queue.Queue[str | None](_QUEUED)
        self._dropped = 0
        self._ending = False
        self._thread = threading.Thread(target=self._write_on, name="gigym-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record; never waits, never raises."""
        if record.msg == _NOISE:
            return
        fields = fields_of(record, texts=self._texts)
        if self._dropped:
            fields["dropped"] = self._dropped
        try:
            self._lines.put_nowait(self._render(fields) + "\n")
            self._dropped = 0
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what is left, for a second at most."""
        self._ending = True
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(_LAST_WORDS_S)
        super().close()

    def _write_on(self) -> None:
        while not (self._ending and self._lines.empty()):
            line = self._lines.get() or ""
            # A full disk or a reader that went away must not end the server.
            with contextlib.suppress(OSError):
                _write(self._fd, line.encode())
        os.close(self._fd)


def _write(fd: int, line: bytes) -> None:
    while line:
        line = line[os.write(fd, line) :]


def fields_of(record: logging.LogRecord, *, texts: bool) -> dict[str, JsonValue]:
    """A record as the fields of a line; `texts`: with the texts of errors."""
    fields: dict[str, JsonValue] = {
        "t": round(record.created, 3),
        "level": record.levelname.lower(),
    }
    given: dict[str, JsonValue] | None = getattr(record, _FIELDS, None)
    if given is not None:
        fields |= {"event": record.getMessage(), **given}
    else:
        message = record.getMessage().strip()
        fields |= {"event": "log", "logger": record.name, "message": message}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        if given is None:
            fields["event"] = "bug"
        fields |= {"error": type(error).__name__, "trace": trace_of(error)}
        if texts:
            fields["text"] = str(error)
    return fields


def trace_of(error: BaseException) -> list[JsonValue]:
    """Where an error came from, innermost last, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def as_text(fields: dict[str, JsonValue]) -> str:
    """A line for a person."""
    hidden = {"t", "event"} | ({"level"} if fields["level"] == "info" else set[str]())
    rest = {name: value for name, value in fields.items() if name not in hidden}
    said = " ".join(f"{name}={json.dumps(value)}" for name, value in rest.items())
    return f"{fields['event']} {said}".strip()


class Logged(Watch):
    """Writes down what happens. What comes in bursts is summed up, ten seconds after the first."""

    def __init__(self) -> None:
        self._sums: dict[str, Counter[str]] = {}

    def created(self, sid: str, env: str) -> None:
        """At `debug`."""
        log_event(logging.DEBUG, "session.created", sid=sid, env=env)

    def ended(self, sid: str, env: str, how: End) -> None:
        """At `warning` when it was lost, else at `debug`."""
        level = logging.WARNING if how == "lost" else logging.DEBUG
        log_event(level, f"session.{how}", sid=sid, env=env)

    def episode_ended(self, end: EpisodeEnd) -> None:
        """At `debug`."""
        log_event(logging.DEBUG, "episode.end", sid=end.sid, env=end.env, ep=end.ep, n=end.n)

    def refused(self, code: str) -> None:
        """Summed up."""
        self._sum("refused", code)

    def cut(self, what: Cut) -> None:
        """Summed up."""
        self._sum("cut", what)

    def worker_lost(self, pid: int, sessions: int) -> None:
        """At `error`."""
        log_event(logging.ERROR, "worker.lost", pid=pid, sessions=sessions)

    def flush(self) -> None:
        """Write the sums down."""
        sums, self._sums = self._sums, {}
        for event, counts in sums.items():
            log_event(logging.INFO, event, counts={**counts})

    def _sum(self, event: str, what: str) -> None:
        if not self._sums:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().call_later(_SUMMARY_S, self.flush)
        self._sums.setdefault(event, Counter())[what] += 1

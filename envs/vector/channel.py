"""Pipes to worker processes: lines of JSON out and in, never waiting without a deadline.

A `Job` is one request to one worker and the answers it owes. `converse` sends several and
collects until every job is settled: answered, broken off, or overdue.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..child import python_path

_CHUNK = 2**16
_FAREWELL_S = 2.0
_MODULE = "gigym.envs.vector.worker"


class Channel:
    """A worker process and the pipes to it. POSIX only: Windows cannot poll pipes."""

    def __init__(self) -> None:
        # Its own session keeps a Ctrl-C at the terminal from reaching the worker as well.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": python_path()},
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._told, self._said = self._process.stdin, self._process.stdout
        os.set_blocking(self._told.fileno(), False)
        os.set_blocking(self._said.fileno(), False)
        self._unsent = b""
        self._unread = b""

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs and was not ended by us."""
        return not self._told.closed and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with."""
        return self._process.poll()

    def queue(self, request: object) -> None:
        """Have a request sent by `converse`."""
        self._unsent += json.dumps(request).encode("ascii") + b"\n"

    def listen(self, selector: selectors.BaseSelector, job: "Job") -> None:
        """Have the selector wake for answers, and for the pipe to take what is unsent."""
        selector.register(self._said, selectors.EVENT_READ, job)
        if self._unsent:
            selector.register(self._told, selectors.EVENT_WRITE, job)

    def push(self, selector: selectors.BaseSelector) -> None:
        """Send what the pipe takes."""
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[os.write(self._told.fileno(), self._unsent) :]
        if not self._unsent:
            selector.unregister(self._told)

    def pull(self) -> list[dict[str, Any]] | None:
        """Answers that are complete; None when the worker is gone."""
        chunk = os.read(self._said.fileno(), _CHUNK)
        if not chunk:
            return None
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def dismiss(self) -> None:
        """Let it end by itself: it does once nobody tells it anything."""
        with contextlib.suppress(OSError):
            self._told.close()

    def end(self, patience_s: float = 0.0) -> None:
        """Have it gone, by force after the patience; calling twice is fine."""
        self.dismiss()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()


@dataclass(slots=True, kw_only=True)
class Job:
    """One request to one worker."""

    channel: Channel
    request: object
    owed: deque[int]
    """Environments whose answers are due, in the order in which they come."""
    seconds: float
    """Longest wait for each answer."""
    answers: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    broken: bool = False
    """The worker died, or was ended because it was overdue."""
    overdue: bool = False
    due_at: float = 0.0


def converse(jobs: Sequence[Job]) -> None:
    """Send the requests of all jobs and collect their answers, until each job is settled."""
    with selectors.DefaultSelector() as selector:
        try:
            for job in jobs:
                job.channel.queue(job.request)
                job.channel.listen(selector, job)
                job.due_at = time.monotonic() + job.seconds
            while waiting := [job for job in jobs if job.owed and not job.broken]:
                first = min(job.due_at for job in waiting)
                _turn(selector, max(0.0, first - time.monotonic()))
                _end_overdue(selector, waiting)
        except BaseException:
            # Answers under way would be taken for those of the next request.
            for job in jobs:
                if job.owed:
                    job.channel.end()
            raise


def dismiss(channels: Iterable[Channel]) -> None:
    """End workers, all at once."""
    ending = list(channels)
    for channel in ending:
        channel.dismiss()
    give_up_at = time.monotonic() + _FAREWELL_S
    for channel in ending:
        channel.end(max(0.0, give_up_at - time.monotonic()))


def _turn(selector: selectors.BaseSelector, wait_s: float) -> None:
    for key, events in selector.select(wait_s):
        job: Job = key.data
        if job.broken:
            continue
        try:
            if events & selectors.EVENT_WRITE:
                job.channel.push(selector)
                continue
            said = job.channel.pull()
        except OSError:
            said = None
        if said is None:
            _break_off(selector, job)
        for answer in said or ():
            job.owed.remove(answer["i"])
            job.answers[answer["i"]] = answer
            job.due_at = time.monotonic() + job.seconds


def _end_overdue(selector: selectors.BaseSelector, waiting: Iterable[Job]) -> None:
    now = time.monotonic()
    for job in waiting:
        if job.owed and not job.broken and now >= job.due_at:
            job.overdue = True
            _break_off(selector, job)


def _break_off(selector: selectors.BaseSelector, job: Job) -> None:
    job.broken = True
    for key in [key for key in selector.get_map().values() if key.data is job]:
        selector.unregister(key.fileobj)
    # A worker whose pipe broke is at its end: a moment lets its exit code be told.
    job.channel.end(0.0 if job.overdue else _FAREWELL_S)

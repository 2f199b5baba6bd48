"""One place for sessions, kept by one worker process after another.

Calls are answered in the order in which they are asked, so the first unanswered one is what the
process is at. When that takes too long, the process is killed and the session is lost (`TIMEOUT`).
When the process dies, the call is tried once more, and a second death loses the session
(`WORKER_LOST`). Either way a fresh process takes over: sessions are built in it, and their episodes
played again, when they are next asked for something, and calls under way are asked again.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...envs.wire import Code
from ..errors import WireFault
from ..watch import Watch
from .channel import Channel
from .frames import Head, Setup, call_line, read_answer, read_fault, tell
from .seat import Call, Seat
from .spare import Spare

START_S = 30.0
"""How long a process may take to start and import what it needs."""
_TRIES = 2
_START_TRIES = 3
_BACKOFF_S = 0.1
_BACKOFF_MAX_S = 10.0
_LATE_S = 0.1
"""An answer may lie in the pipe while this process is busy: heard before anybody is called late."""
_FAREWELL_S = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a worker is told, and whom it tells."""

    setup: Setup
    watch: Watch
    lose: Callable[[str], None]
    """Called with the name of each session that is lost."""


class Worker:
    """See the module docstring; its seats' calls go to `post`."""

    def __init__(self, duty: Duty, spare: Spare) -> None:
        self.seats: set[Seat] = set()
        self.started = False
        """A process of it was set up once."""
        self.ailing = ""
        """Why no process can be started; empty while all is well."""
        self._duty = duty
        self._spare = spare
        self._loop = asyncio.get_running_loop()
        self._calls: deque[Call] = deque()
        """In the order of the answers; those of the present process, if there is one."""
        self._answered = 0
        """Calls that the present process has answered."""
        self._began = 0.0
        """When the present process turned to the first of the calls."""
        self._channel: Channel | None = None
        self._latest: Channel | None = None
        """The present process, or the one that is on its way out."""
        self._alarm: asyncio.TimerHandle | None = None
        self._fruitless = 0
        """Processes in a row that ended without having done anything."""
        self._false_starts = 0
        """Processes in a row that did not become ready."""
        self._keeper = asyncio.create_task(self._keep())

    @property
    def pid(self) -> int | None:
        """Of the present process."""
        return self._channel.pid if self._channel is not None else None

    def post(self, call: Call) -> None:
        """Have a call answered."""
        if self.ailing:
            call.fail(self._no_process())
        elif self._channel is not None:
            self._ask(self._channel, call)
        elif call.wanted:
            self._calls.append(call)

    def leave(self, seat: Seat) -> None:
        """A seat is no longer needed."""
        self.seats.discard(seat)

    def join(self, seats: Sequence[Seat]) -> None:
        """Further seats that the process has."""
        self.seats.update(seats)

    async def close(self) -> None:
        """End the process; what it still owes is refused."""
        self._keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeper
        self._channel, self.ailing = None, "the server stops"
        self._disarm()
        for call in self._calls:
            call.fail(self._no_process())
        self._calls.clear()
        if self._latest is not None:
            await self._latest.close(_FAREWELL_S)

    async def _keep(self) -> None:
        """Have a process at work, always."""
        while True:
            try:
                channel = self._latest = await self._spare.take()
                self._begin(channel)
                self._mourn(channel, await asyncio.shield(channel.ended))
            except OSError as error:
                self._false_start(str(error))
            self._fruitless += 1
            if self._fruitless > 1:
                pause = _BACKOFF_S * 2 ** min(self._fruitless - 2, 10)
                await asyncio.sleep(min(pause, _BACKOFF_MAX_S))

    def _begin(self, channel: Channel) -> None:
        """A fresh process takes over what the last one owed."""
        owed = [call for call in self._calls if call.wanted]
        self._calls.clear()
        self._answered = 0
        for seat in self.seats:
            seat.there = False
        self._channel, channel.hear = channel, self._hear
        body = self._duty.setup.line()
        self._put(channel, Call(verb="setup", body=body, seconds=START_S))
        for call in owed:
            self._ask(channel, call)

    def _ask(self, channel: Channel, call: Call) -> None:
        """Send a call, behind one that builds its session where the process has it not."""
        seat = call.seat
        if seat is not None and seat.ended:
            call.fail(WireFault(Code.SESSION_UNKNOWN, "the session was closed meanwhile"))
            return
        if seat is not None and not seat.there:
            try:
                if call.verb != "build":
                    self._put(channel, seat.revival())
            except WireFault as fault:
                call.fail(fault)
                self._lose(seat, fault)
                return
            seat.there = True
        self._put(channel, call)

    def _put(self, channel: Channel, call: Call) -> None:
        if not self._calls:
            self._began = self._loop.time()
        channel.send(call_line(call.verb, self._answered + len(self._calls), call.body))
        self._calls.append(call)
        self._arm()

    def _hear(self, channel: Channel, line: bytes) -> None:
        """Take the answer to the first of the calls."""
        if channel is not self._channel:
            return
        try:
            head, body = read_answer(line)
            if not self._calls or head.number != self._answered:
                raise ValueError(f"answer {head.number} instead of {self._answered}")
        except (ValueError, TypeError, IndexError) as error:
            _LOG.error("worker %d talks nonsense and is ended: %s", channel.pid, error)
            channel.kill()
            return
        call = self._calls.popleft()
        now = self._loop.time()
        seconds, self._began = now - self._began, now
        self._answered += 1
        try:
            self._settle(call, head, body, seconds)
        except Exception:
            # Environments share the process and may have written to its pipe.
            _LOG.exception("worker %d gave an answer that makes no sense and is ended", channel.pid)
            call.fail(_lost())
            channel.kill()
        self._arm()

    def _settle(self, call: Call, head: Head, body: bytes, seconds: float) -> None:
        if call.verb == "setup":
            self._set_up(head, body)
            return
        self._fruitless = 0
        tell(head.events, self._duty.watch)
        seat = call.seat
        if seat is not None:
            if call.item is not None:
                seat.strikes = 0
            seat.follow(call, head, body, seconds)
        if head.ok:
            call.succeed(body)
            return
        fault = read_fault(body)
        call.fail(fault)
        if seat is not None and call.verb == "build":
            seat.there = False
            message = f"{seat.env} could not be played again in a new process: {fault.message}"
            self._lose(seat, WireFault(Code.WORKER_LOST, message))

    def _set_up(self, head: Head, body: bytes) -> None:
        if head.ok:
            self.started, self.ailing, self._false_starts = True, "", 0
            return
        channel, self._channel = self._channel, None
        self._false_start(read_fault(body).message)
        if channel is not None:
            channel.kill()

    def _mourn(self, channel: Channel, code: int | None) -> None:
        """A process is gone: its own fault, or that of the call it was at."""
        self._duty.watch.worker_lost(channel.pid, len(self.seats))
        _LOG.warning("worker %d ended with %s; %d sessions", channel.pid, code, len(self.seats))
        if channel is not self._channel:
            # It was killed by us, and who was to blame has been told.
            return
        self._channel = None
        self._disarm()
        if not self._calls:
            return
        if self._calls[0].verb == "setup":
            self._false_start(f"it ended with {code} before it was ready")
        elif (seat := self._calls[0].seat) is not None:
            seat.strikes += 1
            if seat.strikes >= _TRIES:
                message = f"{seat.env} ended its worker process {seat.strikes} times ({code})"
                self._lose(seat, WireFault(Code.WORKER_LOST, message))

    def _arm(self) -> None:
        """See to it that `_look` is called when the first of the calls is due."""
        if not self._calls:
            self._disarm()
            return
        due = self._began + self._calls[0].seconds
        if self._alarm is None or self._alarm.when() > due:
            self._disarm()
            self._alarm = self._loop.call_at(due, self._look)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _look(self) -> None:
        self._alarm = None
        if self._calls and self._loop.time() < self._began + self._calls[0].seconds:
            self._arm()
        elif self._calls:
            self._loop.call_later(_LATE_S, self._judge, self._calls[0])

    def _judge(self, call: Call) -> None:
        """End a process whose answer is still not there."""
        channel = self._channel
        if channel is None or not self._calls or self._calls[0] is not call:
            return
        self._channel = None
        if call.verb == "setup":
            self._false_start(f"it was not ready after {call.seconds:g} s")
        elif call.seat is not None:
            env = call.seat.env
            message = f"{env} gave no answer within {call.seconds:g} s; its session is closed"
            call.fail(WireFault(Code.TIMEOUT, message))
            self._lose(call.seat, _lost())
        channel.kill()

    def _lose(self, seat: Seat, fault: WireFault) -> None:
        """Give a session up; others are not touched."""
        self.seats.discard(seat)
        seat.ended = True
        for call in self._calls:
            if call.seat is seat:
                call.fail(fault)
        self._duty.lose(seat.sid)

    def _false_start(self, why: str) -> None:
        """Try again, and after a while let nobody wait any more."""
        self._false_starts += 1
        _LOG.error("a worker process did not start: %s", why)
        if self._false_starts < _START_TRIES:
            return
        self.ailing = why
        for seat in list(self.seats):
            self._lose(seat, self._no_process())
        for call in self._calls:
            call.fail(self._no_process())

    def _no_process(self) -> WireFault:
        return WireFault(Code.WORKER_LOST, f"no worker process runs: {self.ailing}")


def _lost() -> WireFault:
    return WireFault(Code.WORKER_LOST, "the session's worker process is gone; replay it elsewhere")

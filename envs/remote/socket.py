"""The socket of one server: many calls under way at once, answered in any order.

A task reads the frames and hands each to the call that waits for its id; nobody waits on the
connection itself. A connection that is lost fails the calls under way, which are sent again, and is
opened anew after a rest; until then, and where the server has no socket, `usable` is false.
"""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from ..errors import ServerError
from ..wire import explain
from ..wire_answers import Fault, SocketAnswer
from .attempt import AnswerT, Call, NoAnswer, NoSocket, broken, read, refusal
from .faults import clean
from .spec import Dial, SocketRefused, Wire

_HEAD = re.compile(rb'\{"id":(\d{1,16}),("draining":true,)?"(results|error)":')
"""How our own servers begin an answer; others are parsed for it."""
_REST_S = 2.0
_LONGEST_REST_S = 60.0
_STEPS_OF_REST = 5

Heard = Callable[[str | None, bool | None], None]
"""Told the boot id and whether the server is draining, as far as an answer says so."""
Answered = tuple[str, bytes | Fault]


class Socket:
    """See the module docstring."""

    def __init__(
        self, url: str, headers: Mapping[str, str], dial: Dial, connect_s: float, heard: Heard
    ) -> None:
        self._url, self._headers, self._dial = url, headers, dial
        self._connect_s, self._heard = connect_s, heard
        self._wire: Wire | None = None
        self._reader: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[bytes | Fault]] = {}
        self._ids = itertools.count(1)
        self._failures = 0
        self._rests_until = 0.0
        self._refused_by: str | None = None
        """Boot id of the server that has no socket for us."""

    def usable(self, boot: str | None) -> bool:
        """Whether calls may travel this way now, to a server of this boot id."""
        refused = self._refused_by is not None and self._refused_by == (boot or "")
        return not refused and asyncio.get_running_loop().time() >= self._rests_until

    async def ask(self, call: Call[AnswerT], boot: str | None) -> AnswerT:
        """Answer of a call that may travel by socket.

        Raises `NoSocket` when none can be had, `NoAnswer` when it is lost, `NotYet` or the
        server's error for a call that it refused.
        """
        wire = self._wire or await self._opened(boot)
        number = next(self._ids)
        future: asyncio.Future[bytes | Fault] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await wire.send(b'{"id":%d,"call":"%s",%s' % (number, _name(call), call.body[1:]))
            answer = await future
        except OSError as error:
            self._lose(wire, error)
            raise NoAnswer(f"the socket was lost: {clean(str(error))}") from None
        finally:
            self._waiting.pop(number, None)
        if isinstance(answer, Fault):
            raise refusal(answer, self._url)
        return read(call, answer, self._url)

    def rest(self) -> None:
        """Let calls go another way for a while; those under way may still be answered."""
        pause = min(_LONGEST_REST_S, _REST_S * 2.0 ** min(self._failures, _STEPS_OF_REST))
        self._failures += 1
        self._rests_until = asyncio.get_running_loop().time() + pause

    async def aclose(self) -> None:
        """Close the connection; calls under way fail."""
        wire, reader = self._wire, self._reader
        if wire is None:
            return
        self._lose(wire, ConnectionError("closed"))
        await wire.close()
        if reader is not None:
            await asyncio.gather(reader, return_exceptions=True)

    async def _opened(self, boot: str | None) -> Wire:
        async with self._opening:
            if self._wire is not None:
                return self._wire
            if not self.usable(boot):
                raise NoSocket("the socket could not be opened")
            try:
                wire = await self._dial(self._url, self._headers, self._connect_s)
            except SocketRefused as error:
                self._refused_by = boot or ""
                raise NoSocket(f"the server opens no socket: {clean(str(error))}") from None
            except OSError as error:
                self.rest()
                raise NoSocket(f"no socket: {clean(str(error))}") from None
            self._wire, self._refused_by = wire, None
            self._heard(wire.boot, None)
            self._reader = asyncio.create_task(self._read(wire))
            return wire

    async def _read(self, wire: Wire) -> None:
        failure: Exception = ConnectionError("the connection was closed")
        try:
            while True:
                self._hand_over(await wire.receive())
        except OSError as error:
            failure = error
        except ServerError as error:
            failure = error
        finally:
            self._lose(wire, failure)
            with contextlib.suppress(OSError):
                await wire.close()

    def _hand_over(self, frame: bytes) -> None:
        """Give an answer to whoever waits for it; nobody may, if its time was over."""
        head = _HEAD.match(frame)
        if head is not None and head[3] == b"results":
            number, draining, answer = int(head[1]), head[2] is not None, frame
        else:
            number, draining, answer = _parsed(frame, self._url)
        self._failures = 0
        self._heard(None, draining)
        waiting = self._waiting.get(number) if number is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _lose(self, wire: Wire, error: Exception) -> None:
        """Forget a connection, and fail the calls that wait for it."""
        if self._wire is not wire:
            return
        reader, self._wire, self._reader = self._reader, None, None
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_own(error))
                # Its caller may be gone.
                future.exception()


def _parsed(frame: bytes, url: str) -> tuple[int | None, bool, bytes | Fault]:
    """Number, draining, and answer of a frame. Raises `ServerError` for what is no answer."""
    try:
        answer = SocketAnswer.model_validate_json(frame)
    except ValidationError as error:
        raise broken(url, explain(error)) from None
    return answer.id, answer.draining, answer.error or frame


def _name(call: Call[AnswerT]) -> bytes:
    return (call.frame or "").encode("ascii")


def _own(error: Exception) -> Exception:
    """An error of its own for each waiting call: a shared one would gather their tracebacks."""
    if isinstance(error, ServerError):
        return ServerError(str(error), error.code, error.retryable)
    return ConnectionError(str(error))

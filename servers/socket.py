"""`/v1/ws`: the items of the batch protocol over one socket, many frames under way at once.

A client sends `{"id", "call", "items"}` as text, the server answers `{"id", "results"}` or
`{"id", "error"}` in the order in which answers become ready. Sessions are those of the POST routes;
a socket that closes leaves them as they are. A frame that is wrong is answered and harms no other.
While too many frames are under way, or while their answers are not taken, no further frame is read:
a client that does not read holds up itself alone, and is cut off in the end.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ValidationError
from starlette.types import Message

from ..envs import wire
from ..envs.wire import BOOT_HEADER, SOCKET_PATH, Code, SidItem, SocketFrame, explain
from .batch import Pause, Result, as_document, do_few, run_items
from .errors import WireFault
from .faults import internal
from .host import Host
from .replies import encode
from .strict_json import BadJson, parse_json

FRAMES = 32
"""Frames of one socket under way at once."""
STALLED_S = 60.0
"""Longest wait for a client to take an answer."""
_MAX_ID = 2**53
_FEW = 32
"""Items that are done without giving others a turn."""

_LOG = logging.getLogger("gigym.servers")

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a call does."""

    request: type[BaseModel]
    """Model that holds its items."""
    act: Callable[[Host], Callable[[Any], Result]]


_ACTS: dict[str, Act] = {
    "reset": Act(request=wire.ResetRequest, act=lambda host: host.store.reset),
    "step": Act(request=wire.StepRequest, act=lambda host: host.store.step),
    "restore": Act(request=wire.RestoreRequest, act=lambda host: host.store.restore),
    "snapshot": Act(request=wire.SidRequest, act=lambda host: host.store.snapshot),
    "renew": Act(request=wire.RenewRequest, act=lambda host: host.store.renew),
    "close": Act(request=wire.SidRequest, act=lambda host: host.store.close),
}


@router.websocket(SOCKET_PATH)
async def batches(socket: WebSocket) -> None:
    """Serve one socket until it closes; what is under way is finished all the same."""
    host: Host = socket.app.state.host
    await socket.accept(headers=[(BOOT_HEADER.lower().encode(), host.boot.encode())])
    await Exchange(host, socket).run()


class Exchange:
    """The frames of one socket."""

    def __init__(self, host: Host, socket: WebSocket) -> None:
        self._host = host
        self._socket = socket
        self._places = asyncio.Semaphore(FRAMES)
        self._flights: set[asyncio.Task[None]] = set()
        self._reader: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until the socket closes or is cut off."""
        self._reader = asyncio.create_task(self._read_on())
        try:
            await asyncio.wait({self._reader})
        finally:
            self._reader.cancel()
        # Steps under way are applied and remembered: their client will ask again.
        await asyncio.gather(self._reader, *self._flights, return_exceptions=True)

    async def _read_on(self) -> None:
        pause = Pause()
        while True:
            await self._places.acquire()
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            answer = self._answer(message)
            if isinstance(answer, bytes):
                # No task for what is there at once: a turn of the loop costs more than a step.
                await self._tell(answer)
                self._places.release()
            else:
                flight = asyncio.create_task(self._tell_later(answer))
                self._flights.add(flight)
                flight.add_done_callback(self._landed)
            await pause.if_due()

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._places.release()

    async def _tell_later(self, answer: Awaitable[bytes]) -> None:
        await self._tell(await answer)

    async def _tell(self, answer: bytes) -> None:
        try:
            async with asyncio.timeout(STALLED_S):
                await self._socket.send({"type": "websocket.send", "text": answer.decode()})
        except TimeoutError:
            _LOG.warning("a socket took no answer for %g s; it is cut off", STALLED_S)
            self._end()
        except (OSError, RuntimeError):
            self._end()

    def _end(self) -> None:
        """Read no more: the client is gone, or does not read."""
        if self._reader is not None:
            self._reader.cancel()

    def _answer(self, message: Message) -> Result:
        """The answer to a frame, at once where all its sessions are in this process."""
        number: int | None = None
        try:
            tree = _read(message)
            number = _id_of(tree)
            results = self._results(SocketFrame.model_validate(tree))
        except Exception as error:
            return self._refusal(number, error)
        if isinstance(results, bytes):
            return self._numbered(number, results)
        return self._late(number, results)

    async def _late(self, number: int | None, results: Awaitable[bytes]) -> bytes:
        try:
            return self._numbered(number, await results)
        except Exception as error:
            return self._refusal(number, error)

    def _results(self, frame: SocketFrame) -> Result:
        """The document that the POST of the same call answers."""
        limit = self._host.spec.limits.items
        if len(frame.items) > limit:
            message = f"a request may have at most {limit} items, got {len(frame.items)}"
            raise WireFault(Code.TOO_LARGE, message, {"items": limit})
        act = _ACTS[frame.call]
        request: Any = act.request.model_validate({"items": frame.items})
        items: list[SidItem] = request.items
        if len(items) <= _FEW:
            return do_few(items, act.act(self._host), self._host.watch)
        return as_document(run_items(items, act.act(self._host), self._host.watch))

    def _refusal(self, number: int | None, error: Exception) -> bytes:
        if isinstance(error, ValidationError):
            fault = WireFault(Code.BAD_REQUEST, explain(error))
        elif isinstance(error, WireFault):
            fault = error
        else:
            _LOG.error("a frame of a socket failed", exc_info=error)
            fault = internal(error)
        self._host.watch.refused(fault.code)
        return self._numbered(number, encode({"error": fault.body()}))

    def _numbered(self, number: int | None, document: bytes) -> bytes:
        """The answer to a frame; its number stands first, so that a client need not parse for it"""
        told = b'"draining":true,' if self._host.draining else b""
        name = b"null" if number is None else b"%d" % number
        return b'{"id":%s,%s%s' % (name, told, document[1:])


def _read(message: Message) -> object:
    text: str | None = message.get("text")
    if text is None:
        raise WireFault(Code.BAD_REQUEST, "send text frames, got a binary one")
    try:
        return parse_json(text.encode())
    except BadJson as error:
        raise WireFault(Code.BAD_REQUEST, str(error)) from None


def _id_of(tree: object) -> int | None:
    """The frame's number, as far as it has one that can be answered."""
    number = cast("dict[str, object]", tree).get("id") if isinstance(tree, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < _MAX_ID:
        return number
    return None

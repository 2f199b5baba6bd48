"""`/ws`: an environment over a socket, one request after the other, as OpenEnv's clients speak it.

A frame is answered by one frame. An error leaves the socket open unless there is no session to go
on with. Frames are strict JSON in text; any other is `INVALID_JSON`.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from fastapi import APIRouter, WebSocket
from pydantic import JsonValue
from starlette.exceptions import HTTPException

from ...envs.wire import BOOT_HEADER, JsonObject
from ..errors import WireFault
from ..strict_json import BadJson, parse_json
from . import forms
from .attach import BadSession, attached
from .face import Face, asked_opening, face_of, hall_of
from .forms import ErrorCode
from .line import Gone, Line
from .mcp import respond
from .seats import Seat
from .translate import (
    Unreadable,
    code_of,
    fault_problems,
    frame,
    problem,
    problem_trees,
    read,
    refused_at_door,
)

_LOG = logging.getLogger("gigym.servers")

Serve = Callable[[Face, Line, str | None], Awaitable[None]]

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A frame to the client."""

    text: str
    last: bool = False
    """The socket closes after it."""


@router.websocket("/ws")
async def episodes(socket: WebSocket) -> None:
    """Serve one socket until it closes."""
    await welcome(socket, _serve)


async def welcome(socket: WebSocket, serve: Serve) -> None:
    """Accept a socket and serve it, unless its path names no environment."""
    boot = hall_of(socket).seats.host.boot
    await socket.accept(headers=[(BOOT_HEADER.lower().encode(), boot.encode())])
    async with Line(socket) as line:
        with suppress(Gone):
            try:
                face = face_of(socket)
            except HTTPException as error:
                await line.say(_error(ErrorCode.SESSION_ERROR, error.detail))
            else:
                await serve(face, line, socket.query_params.get("session_id"))


async def _serve(face: Face, line: Line, sid: str | None) -> None:
    try:
        async with attached(face, line, sid) as seat:
            await Conversation(face, line, seat).run()
    except BadSession as error:
        face.host.watch.refused(ErrorCode.SESSION_ERROR)
        await line.say(_error(ErrorCode.SESSION_ERROR, str(error)))
    except WireFault as fault:
        face.host.watch.refused(fault.code)
        code = refused_at_door(fault)
        await line.say(_error(code, fault.message, **face.shortage(code)))


class Conversation:
    """The frames of one socket, about one session."""

    def __init__(self, face: Face, line: Line, seat: Seat) -> None:
        self._face = face
        self._line = line
        self._seat = seat

    async def run(self) -> None:
        """Until the client closes or leaves. Raises `Gone`."""
        while (raw := await self._line.frame()) is not None:
            said = await self._answer(raw)
            if said is None:
                return
            await self._line.say(said.text)
            if said.last:
                return

    async def _answer(self, raw: str | bytes) -> Said | None:
        """What to say to a frame; None to one that closes."""
        watch = self._face.host.watch
        try:
            text = await self._told(_parse(raw))
            return Said(text=text) if text is not None else None
        except BadJson as error:
            watch.refused(ErrorCode.INVALID_JSON)
            return Said(text=_error(ErrorCode.INVALID_JSON, f"Invalid JSON: {error}"))
        except Unreadable as error:
            watch.refused(ErrorCode.VALIDATION_ERROR)
            return Said(text=_invalid(error))
        except WireFault as fault:
            watch.refused(fault.code)
            return _refused(fault)
        except Exception as error:
            _LOG.exception("a frame of a socket failed")
            message = f"internal error ({type(error).__name__}); the server's log has the traceback"
            return Said(text=_error(ErrorCode.EXECUTION_ERROR, message))

    async def _told(self, tree: JsonObject) -> str | None:
        face, seat = self._face, self._seat
        match tree.get("type"):
            case "reset":
                shelf, keywords = face.shelves[seat.env], read(forms.ResetFrame, tree).data
                opening = asked_opening(seat.env, shelf, keywords)
                return frame("observation", await face.reset(seat, opening))
            case "step":
                action = read(forms.Action, read(forms.StepFrame, tree).data)
                return frame("observation", await face.step(seat, action))
            case "state":
                read(forms.BareFrame, tree)
                return frame("state", await face.seats.state(seat))
            case "mcp":
                request = read(forms.McpFrame, tree).data
                return frame("mcp", await respond(face, request, seat))
            case "close":
                read(forms.BareFrame, tree)
                seat.closing |= seat.born_here
                return None
            case other:
                face.host.watch.refused(ErrorCode.UNKNOWN_TYPE)
                message = f"Unknown message type: {str(other)[:80]}"
                return _error(ErrorCode.UNKNOWN_TYPE, message)


def _parse(raw: str | bytes) -> JsonObject:
    """A frame as a JSON object. Raises `BadJson` and `Unreadable`."""
    if isinstance(raw, bytes):
        raise BadJson("a binary frame; send text")
    tree = parse_json(raw.encode())
    if not isinstance(tree, dict):
        raise Unreadable(problem("a message must be a JSON object", kind="dict_type"))
    return cast("JsonObject", tree)


def _error(code: ErrorCode, message: str, **more: JsonValue) -> str:
    return frame("error", {"message": message, "code": code.value, **more})


def _invalid(error: Unreadable) -> str:
    problems = problem_trees(error.problems)
    return _error(ErrorCode.VALIDATION_ERROR, f"Invalid message: {error}", errors=problems)


def _refused(fault: WireFault) -> Said:
    code = code_of(fault)
    if code is ErrorCode.VALIDATION_ERROR:
        return Said(text=_invalid(Unreadable(fault_problems(fault))))
    return Said(text=_error(code, fault.message), last=code is ErrorCode.SESSION_ERROR)

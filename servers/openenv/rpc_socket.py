"""`/mcp` as a socket: JSON-RPC in frames, about the one session that the socket has."""

from fastapi import APIRouter, WebSocket

from ..errors import WireFault
from .attach import BadSession, attached
from .face import Face
from .line import Line
from .mcp import INVALID_PARAMS, RpcError, failed, no_session, respond_to, text_of
from .socket import welcome

router = APIRouter()


@router.websocket("/mcp")
async def requests(socket: WebSocket) -> None:
    """Answer requests until the socket closes, which ends its session."""
    await welcome(socket, _serve)


async def _serve(face: Face, line: Line, sid: str | None) -> None:
    try:
        async with attached(face, line, sid) as seat:
            seat.closing |= seat.born_here
            while (raw := await line.frame()) is not None:
                body = raw if isinstance(raw, bytes) else raw.encode()
                await line.say(text_of(await respond_to(face, body, seat)))
    except BadSession as error:
        await line.say(text_of(failed(None, RpcError(INVALID_PARAMS, str(error)))))
    except WireFault as fault:
        await line.say(text_of(failed(None, no_session(face, fault))))

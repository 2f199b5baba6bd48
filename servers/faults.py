"""Errors of whole requests as HTTP answers."""

from typing import Any

from starlette.responses import Response

from ..envs.wire import Code
from ..envs.wire_answers import FaultAnswer
from .errors import WireFault
from .replies import encode

REFUSED: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": FaultAnswer, "description": "The request was refused"},
}
"""How routes document their refusals."""
SOBER = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""On every answer: browsers neither guess nor store."""


def fault_response(fault: WireFault) -> Response:
    """The error object of the protocol, with the headers that its status asks for."""
    answer = Response(
        encode({"error": fault.body()}),
        status_code=fault.status,
        media_type="application/json",
    )
    if fault.code in (Code.BUSY, Code.DRAINING):
        wait_ms = fault.detail.get("retry_after_ms")
        seconds = -(-wait_ms // 1000) if isinstance(wait_ms, int) else 1
        answer.headers["Retry-After"] = str(seconds)
    if fault.code is Code.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if fault.code is Code.TOO_LARGE:
        answer.headers["Connection"] = "close"
    return answer


def internal(error: Exception) -> WireFault:
    """What a client hears of an error that is ours."""
    message = f"internal error ({type(error).__name__}); the server's log has the traceback"
    return WireFault(Code.INTERNAL, message)

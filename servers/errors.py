"""Errors of the servers room.

GigymError
  WireFault          an answer of the protocol: code, message     exit 4
  BindError          the address cannot be listened on            exit 2
    PortInUse        another program listens there                exit 2
  UnsafeBind         an open address without a token              exit 2
  BadTokenFile       the token file is not usable                 exit 2
  ServerStartError   a child server did not become ready          exit 4
"""

from .. import GigymError
from ..envs.types import JsonValue
from ..envs.wire import RETRYABLE, Code

__all__ = [
    "STATUS",
    "BadTokenFile",
    "BindError",
    "PortInUse",
    "ServerStartError",
    "UnsafeBind",
    "WireFault",
]

STATUS: dict[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.BAD_ITEM: 400,
    Code.UNAUTHORIZED: 401,
    Code.UNKNOWN_ENV: 404,
    Code.UNKNOWN_ROUTE: 404,
    Code.SESSION_UNKNOWN: 404,
    Code.SESSION_EXPIRED: 410,
    Code.STEP_INDEX: 409,
    Code.STEP_CONFLICT: 409,
    Code.EPISODE_OVER: 409,
    Code.NOT_RESET: 409,
    Code.REPLAY_DIVERGED: 409,
    Code.TOO_LARGE: 413,
    Code.ENV_ERROR: 422,
    Code.BUSY: 429,
    Code.INTERNAL: 500,
    Code.WORKER_LOST: 503,
    Code.DRAINING: 503,
    Code.TIMEOUT: 504,
}
"""HTTP status where the error is the answer to a whole request."""


class WireFault(GigymError, RuntimeError):
    """What the server answers instead of a result."""

    exit_code = 4

    def __init__(
        self,
        code: Code,
        message: str,
        detail: dict[str, JsonValue] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(code, message, detail, status)
        self.code = code
        self.message = message
        self.detail: dict[str, JsonValue] = detail or {}
        self.status = status or STATUS[code]

    def __str__(self) -> str:
        return self.message

    def body(self) -> dict[str, JsonValue]:
        """The error object of the protocol."""
        return {
            "code": self.code.value,
            "message": self.message,
            "retryable": self.code in RETRYABLE,
            "detail": self.detail,
        }


class BindError(GigymError, OSError):
    """The address cannot be listened on."""

    exit_code = 2


class PortInUse(BindError):
    """Another program listens on the port."""


class UnsafeBind(GigymError, ValueError):
    """Listening beyond this machine needs a token."""

    exit_code = 2


class BadTokenFile(GigymError, ValueError):
    """The token file is empty, or others may read it."""

    exit_code = 2


class ServerStartError(GigymError, RuntimeError):
    """A server process did not become ready; the message holds the end of its log."""

    exit_code = 4

"""Errors of the protocol as the errors that the same call raises in process."""

from ..errors import (
    BadOption,
    EnvCodeError,
    EpisodeError,
    GameFileError,
    MissingExtra,
    ServerError,
    UnknownEnv,
    UnknownTask,
    Unsupported,
)
from ..wire import Code
from ..wire_answers import Fault

_MAX_MESSAGE = 2000
_RAISED_THERE: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        BadOption,
        EpisodeError,
        GameFileError,
        MissingExtra,
        UnknownEnv,
        UnknownTask,
        Unsupported,
    )
}


def as_error(fault: Fault, url: str) -> Exception:
    """The error to raise for a fault that a server answered."""
    message = clean(fault.message)
    kind = fault.detail.get("type")
    if isinstance(kind, str) and kind in _RAISED_THERE:
        return _RAISED_THERE[kind](message)
    if fault.code == Code.ENV_ERROR:
        return EnvCodeError(message)
    return ServerError(f"{url}: {message}", clean(fault.code), fault.retryable)


def clean(text: str) -> str:
    """Text of a server on one line, without control characters."""
    return "".join(char if char.isprintable() else " " for char in text[:_MAX_MESSAGE])

"""One attempt to ask a server: what is asked, and what may come of it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import ServerError
from ..wire import PROTOCOL, SocketCall, explain
from ..wire_answers import Fault
from .faults import as_error

AnswerT = TypeVar("AnswerT", bound=BaseModel)
MAX_ANSWER = 64 * 2**20
"""Bytes; an answer is never longer, whatever its server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[AnswerT]):
    """One request."""

    path: str
    answer: type[AnswerT]
    """What is expected."""
    body: bytes = b""
    """JSON object; empty for a GET."""
    key: str | None = None
    """Idempotency key."""
    frame: SocketCall | None = None
    """Its name where it may travel by socket."""


class NoAnswer(Exception):
    """The request or its answer was lost, or the answer was cut: ask again."""


class NoSocket(NoAnswer):
    """There is no socket to ask by: nothing was sent."""


class NotYet(Exception):
    """The server answers, but asks to come again later."""

    def __init__(self, error: ServerError, wait_s: float) -> None:
        super().__init__(error, wait_s)
        self.error = error
        self.wait_s = wait_s


def read(call: Call[AnswerT], body: bytes, url: str) -> AnswerT:
    """The answer. Raises `NoAnswer` for half of one, `ServerError` for another than expected."""
    try:
        return call.answer.model_validate_json(body)
    except ValidationError as error:
        # What does not even begin like JSON was not cut: asking again would not help.
        if error.errors()[0]["type"] == "json_invalid" and body[:1] in (b"", b"{"):
            raise NoAnswer("the answer was cut short") from None
        raise broken(url, explain(error)) from None


def broken(url: str, why: str) -> ServerError:
    """The error for a server that does not keep to the protocol."""
    return ServerError(f"{url} broke the protocol {PROTOCOL}: {why}", "PROTOCOL")


def refusal(fault: Fault, url: str, wait_s: float = 0.0) -> Exception:
    """What to raise for an error that a server answered: `NotYet` where it may be asked again."""
    error = as_error(fault, url)
    return NotYet(error, wait_s) if isinstance(error, ServerError) and error.retryable else error

"""One server over HTTP: every request is sent again until it is answered or its time is over.

All requests of the protocol may be repeated blindly, so a lost connection, a lost answer, 429 and
503 are met the same way: wait a little, at random, and send the same bytes again. This is the one
file that knows httpx.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pydantic_core
from pydantic import ValidationError

from ..errors import ServerError, ServerUnreachable
from ..wire import BOOT_HEADER, KEY_HEADER, PROTOCOL, explain
from ..wire_answers import FaultAnswer, Info
from .address import checked_url, is_loopback, printable_token
from .faults import as_error, clean

_AGAIN = frozenset({408, 429, 502, 503, 504})
_MAX_ANSWER = 64 * 2**20
_MAX_RETRY_AFTER_S = 30.0
_KEEP_ALIVE_S = 30.0
"""Below what the server keeps, so that a connection seldom closes under a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """How patient a client is, and how it talks."""

    deadline_s: float = 60.0
    """Longest wait for one reset or step, the rebuilding of its session included."""
    create_s: float = 60.0
    """Longest wait for sessions when a pool opens."""
    attempt_s: float = 20.0
    """A request without an answer is sent again after this time."""
    connect_s: float = 5.0
    failover_s: float = 5.0
    """A server silent for this long is given up while there are others."""
    lease_s: float = 600.0
    """How long the server keeps sessions of a client that says nothing."""
    backoff_s: float = 0.05
    """First wait before a request is sent again; doubles, up to `backoff_max_s`."""
    backoff_max_s: float = 2.0
    tick_s: float = 0.002
    """Longest time in which calls are collected into one request."""
    flights: int = 4
    """Requests of one kind under way at once, per server."""
    batch: int = 1024
    """Most items of one request."""
    body_bytes: int = 4 * 2**20
    """A longer request is cut in two."""
    transport: Callable[[str], httpx.AsyncBaseTransport] | None = None
    """Makes the transport for a URL; None opens sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    key: str | None = None
    """Idempotency key."""


class Link:
    """A server's URL and the connections to it."""

    def __init__(self, url: str, token: str | None, spec: ClientSpec) -> None:
        self.url = checked_url(url)
        self.boot: str | None = None
        """Boot id of the last answer."""
        self.alone = True
        """There is no other server to go to, so this one is asked until the time is over."""
        self.silent_until = 0.0
        """Loop time until which this server is thought to be down."""
        self._spec = spec
        self._random = random.Random()
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {printable_token(token)}"} if token else None,
            timeout=httpx.Timeout(None, connect=spec.connect_s),
            limits=httpx.Limits(max_connections=32, keepalive_expiry=_KEEP_ALIVE_S),
            transport=spec.transport(self.url) if spec.transport else None,
            # A proxy meant for the internet must not swallow requests to this machine.
            trust_env=not is_loopback(self.url),
            verify=self.url.startswith("https:"),
        )

    async def post(
        self, path: str, body: bytes, give_up_at: float, key: str | None = None
    ) -> bytes:
        """Answer to a POST of JSON.

        Raises `ServerUnreachable` when there was none by `give_up_at` (loop time), the error that
        the server answered otherwise.
        """
        return await self._insist(Call(method="POST", path=path, body=body, key=key), give_up_at)

    async def info(self, give_up_at: float) -> Info:
        """What the server is. Raises `ServerError` for one that speaks another protocol."""
        body = await self._insist(Call(method="GET", path="/v1/info"), give_up_at)
        try:
            told = Info.model_validate_json(body)
        except ValidationError as error:
            message = f"{self.url} does not speak {PROTOCOL}: {explain(error)}"
            raise ServerError(message, "PROTOCOL") from None
        if told.protocol != PROTOCOL:
            message = f"{self.url} speaks {clean(told.protocol)}, expected {PROTOCOL}"
            raise ServerError(message, "PROTOCOL")
        return told

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _insist(self, call: Call, give_up_at: float) -> bytes:
        if self._http.is_closed:
            raise ServerError(f"{self.url}: the pool is closed", "CLOSED")
        loop = asyncio.get_running_loop()
        began, attempts = loop.time(), 0
        # Retryable, since calls that share the request may have more time left.
        failure: ServerError = ServerUnreachable(
            f"{self.url}: no time left to ask", "UNREACHABLE", True
        )
        while (left := give_up_at - loop.time()) > 0:
            asked_s = 0.0
            try:
                async with asyncio.timeout(min(left, self._spec.attempt_s)):
                    return await self._once(call)
            except (TimeoutError, httpx.RequestError) as error:
                waited = loop.time() - began
                failure = ServerUnreachable(_silence(self.url, waited, error), "UNREACHABLE", True)
            except _NotYet as error:
                failure, asked_s = error.error, error.wait_s
            if not self.alone and self._turns_away(failure, loop.time() - began):
                break
            attempts += 1
            pause = self._pause(attempts, asked_s)
            await asyncio.sleep(min(pause, max(0.0, give_up_at - loop.time())))
        if isinstance(failure, ServerUnreachable):
            self.silent_until = loop.time() + self._spec.failover_s
        raise failure

    def _turns_away(self, failure: ServerError, waited_s: float) -> bool:
        """Whether, while there are other servers, this one is not worth another attempt."""
        return not isinstance(failure, ServerUnreachable) or waited_s >= self._spec.failover_s

    async def _once(self, call: Call) -> bytes:
        """One attempt. Raises `_NotYet` for an answer that asks to try again."""
        headers = {"Accept": "application/json"}
        if call.method == "POST":
            headers["Content-Type"] = "application/json"
        if call.key is not None:
            headers[KEY_HEADER] = call.key
        request = self._http.build_request(
            call.method, call.path, headers=headers, content=call.body or None
        )
        answer = await self._http.send(request, stream=True)
        try:
            body = await _read(answer, self.url)
        finally:
            await answer.aclose()
        self.boot = answer.headers.get(BOOT_HEADER, self.boot)
        if answer.is_success:
            if _is_cut(body):
                raise httpx.RemoteProtocolError("the answer was cut short")
            return body
        error = _refusal(answer, body, self.url)
        if answer.status_code in _AGAIN and isinstance(error, ServerError):
            raise _NotYet(error, _retry_after(answer))
        raise error

    def _pause(self, attempts: int, asked_s: float) -> float:
        """Seconds to wait: a random share of a doubling bound, or what the server asked for."""
        bound = min(self._spec.backoff_max_s, self._spec.backoff_s * 2.0**attempts)
        return max(bound * self._random.uniform(0.5, 1.0), asked_s * self._random.uniform(1.0, 1.2))


class _NotYet(Exception):
    """The server answers, but asks to come again later."""

    def __init__(self, error: ServerError, wait_s: float) -> None:
        super().__init__(error, wait_s)
        self.error = error
        self.wait_s = wait_s


async def _read(answer: httpx.Response, url: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.aiter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > _MAX_ANSWER:
            raise ServerError(f"{url}: the answer is longer than {_MAX_ANSWER} bytes", "PROTOCOL")
    return b"".join(chunks)


def _is_cut(body: bytes) -> bool:
    """Whether an answer of this protocol is the beginning of one: proxies may cut unnoticed.

    What does not even begin like JSON is no answer of ours, and asking again would not help.
    """
    if body and not body.startswith(b"{"):
        return False
    try:
        pydantic_core.from_json(body)
    except ValueError:
        return True
    return False


def _refusal(answer: httpx.Response, body: bytes, url: str) -> Exception:
    try:
        return as_error(FaultAnswer.model_validate_json(body).error, url)
    except ValidationError:
        message = f"{url} answered HTTP {answer.status_code} without saying why"
        return ServerError(message, "PROTOCOL", answer.status_code in _AGAIN)


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _MAX_RETRY_AFTER_S) if text.isdecimal() and len(text) < 9 else 0.0


def _silence(url: str, waited_s: float, error: Exception) -> str:
    reason = "no answer" if isinstance(error, TimeoutError) else type(error).__name__
    detail = clean(str(error))
    because = f"{reason}: {detail}" if detail else reason
    return f"{url} did not answer within {waited_s:.1f} s ({because}); is the server running?"

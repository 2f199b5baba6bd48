"""What every request must pass before the application sees it, as one pure ASGI middleware.

Host and Origin (a page in the user's browser must not reach a server on loopback), the bearer
token, the content type, the size of the body as received and as inflated and the time it takes,
strict JSON, and where it is bounded the rate. Every answer leaves with the boot id and with headers
that keep browsers from guessing and storing; when the server is about to stop, with the seconds
that are left.
"""

import asyncio
import hmac
import ipaddress
import zlib
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..envs.wire import BOOT_HEADER, DRAINING_HEADER, PUBLIC_PATHS, Code
from .errors import WireFault
from .faults import SOBER, fault_response
from .rate import Bucket
from .spec import LOOPBACK_HOSTS, ServerSpec, bracketed
from .strict_json import BadJson, check_json
from .watch import Watch

_POLICY_VIOLATION = 1008
_FORBIDDEN = 403
_TIMED_OUT = 408
_MAX_DIGITS = 18
_JSON_RPC = "/mcp"
"""Ends the paths that answer JSON that is none in words of their own, with status 200."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Guard:
    """Wraps the application; see the module docstring. `watch` hears of what is refused."""

    def __init__(
        self,
        app: ASGIApp,
        spec: ServerSpec,
        boot: str,
        left_s: Callable[[], float | None] = lambda: None,
        watch: Watch | None = None,
    ) -> None:
        self._app = app
        self._spec = spec
        self._boot = boot
        self._left_s = left_s
        self._watch = watch or Watch()
        self._bucket = Bucket(spec.limits.requests_per_s)
        named = (bracketed(spec.host), *spec.allow_hosts)
        self._hosts = LOOPBACK_HOSTS | {host.lower() for host in named}
        self._any_address = bracketed(spec.host) in ("0.0.0.0", "[::]")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] == "http":
            await self._http(scope, receive, self._labelled(send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(headers)
            self._check_token(scope["path"], headers)
            self._check_rate(scope["path"])
            if scope["method"] in _WITH_BODY:
                body = await self._read(headers, receive)
                _check_body(scope["path"], headers, body)
                receive = _replay(body, receive)
        except WireFault as fault:
            self._watch.refused(fault.code)
            answer = fault_response(fault)
            # A body that was not read to its end would hold the connection for as long as it drips.
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            self._check_origin(headers)
            self._check_token(scope["path"], headers)
        except WireFault as fault:
            self._watch.refused(fault.code)
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        await self._app(scope, self._paced(receive), send)

    def _paced(self, receive: Receive) -> Receive:
        """Frames at the rate that is allowed: the next one is read when its time has come."""

        async def paced() -> Message:
            while wait_s := self._bucket.take():
                await asyncio.sleep(wait_s)
            return await receive()

        return paced if self._spec.limits.requests_per_s else receive

    def _labelled(self, send: Send) -> Send:
        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update({BOOT_HEADER: self._boot, **SOBER})
                left_s = self._left_s()
                if left_s is not None:
                    headers[DRAINING_HEADER] = f"{left_s:.1f}"
            await send(message)

        return labelled

    def _check_host(self, headers: Headers) -> None:
        given = headers.getlist("host")
        if len(given) == 1 and self._is_ours(given[0]):
            return
        raise WireFault(
            Code.BAD_REQUEST,
            f"the Host header must name this server, got {', '.join(given) or 'none'}; "
            "if it does, start the server with --allow-host NAME",
        )

    def _is_ours(self, authority: str) -> bool:
        host = _host_of(authority)
        return host in self._hosts or (self._any_address and _is_address(host))

    def _check_origin(self, headers: Headers) -> None:
        for origin in headers.getlist("origin"):
            scheme, _, authority = origin.partition("://")
            if scheme not in ("http", "https") or not self._is_ours(authority):
                message = "pages of other origins may not use this server"
                raise WireFault(Code.BAD_REQUEST, message, status=_FORBIDDEN)

    def _check_token(self, path: str, headers: Headers) -> None:
        if self._spec.token is None or path in PUBLIC_PATHS:
            return
        given = headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, b"Bearer " + self._spec.token.encode()):
            message = "this server wants a token: Authorization: Bearer TOKEN"
            raise WireFault(Code.UNAUTHORIZED, message)

    def _check_rate(self, path: str) -> None:
        wait_s = 0.0 if path in PUBLIC_PATHS else self._bucket.take()
        if wait_s:
            message = f"more than {self._spec.limits.requests_per_s:g} requests a second"
            raise WireFault(Code.BUSY, message, {"retry_after_ms": int(wait_s * 1000) + 1})

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        limits = self._spec.limits
        if _declared(headers) > limits.body_bytes:
            raise _too_large(limits.body_bytes)
        try:
            async with asyncio.timeout(limits.body_s):
                body = await _received(receive, limits.body_bytes)
        except TimeoutError:
            message = f"the body did not arrive within {limits.body_s:g} s"
            raise WireFault(Code.BAD_REQUEST, message, status=_TIMED_OUT) from None
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding == "gzip":
            body = inflate(body, limits.body_bytes)
        elif encoding != "identity":
            message = f"content encoding {encoding!r} is not taken; send gzip or none"
            raise WireFault(Code.BAD_REQUEST, message)
        return body


def inflate(body: bytes, limit: int) -> bytes:
    """Undo gzip. Raises `WireFault` for damage, trailing bytes and more than `limit` bytes."""
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise WireFault(Code.BAD_REQUEST, f"the body is not gzip: {error}") from None
    if len(plain) > limit:
        raise _too_large(limit)
    if not inflater.eof or inflater.unused_data:
        raise WireFault(Code.BAD_REQUEST, "the gzip body is cut short or followed by more")
    return plain


def _declared(headers: Headers) -> int:
    """Length that the sender claims; a hint only."""
    text = headers.get("content-length", "0")
    if not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise WireFault(Code.BAD_REQUEST, "Content-Length is not a number of bytes")
    return int(text)


def _check_body(path: str, headers: Headers, body: bytes) -> None:
    if not body:
        return
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WireFault(Code.BAD_REQUEST, "send JSON with Content-Type: application/json")
    if path.endswith(_JSON_RPC):
        return
    try:
        check_json(body)
    except BadJson as error:
        raise WireFault(Code.BAD_REQUEST, str(error)) from None


async def _received(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise WireFault(Code.BAD_REQUEST, "the connection closed before the body ended")
        chunk: bytes = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, rest: Receive) -> Receive:
    """A `receive` that gives the body in one piece, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else await rest()

    return receive


def _too_large(limit: int) -> WireFault:
    return WireFault(Code.TOO_LARGE, f"a body may have at most {limit} bytes")


def _host_of(authority: str) -> str:
    """Host of `host:port`, lower case, brackets kept; empty for what is no authority."""
    host, _, port = authority.rpartition(":")
    if host and port.isdecimal():
        return host.lower()
    return authority.lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True

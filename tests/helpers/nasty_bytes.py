"""Bytes that are hardly HTTP, each with the statuses that may answer them; see `nasties.py`.

Status 0 is a connection that is closed without a word.
"""

from collections.abc import Iterator

from nasties import STEP

BODY = STEP.encode()
OURS = b"Host: 127.0.0.1\r\nConnection: close\r\n"
JSON = OURS + b"Content-Type: application/json\r\n"


def _post(headers: bytes, body: bytes, target: bytes = b"/v1/step") -> bytes:
    return b"POST " + target + b" HTTP/1.1\r\n" + headers + b"\r\n" + body


def _length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


def _chunked(*chunks: bytes) -> bytes:
    return _post(JSON + b"Transfer-Encoding: chunked\r\n", b"".join(chunks))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


BYTES: dict[str, tuple[bytes, set[int]]] = {
    "a greeting of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 32, {400}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
    "a word": (b"hello\r\n\r\n", {400}),
    "no version": (b"GET /healthz\r\n\r\n", {400}),
    "version 9": (b"GET /healthz HTTP/9.9\r\n" + OURS + b"\r\n", {200, 400}),
    "two spaces": (b"GET  /healthz HTTP/1.1\r\n" + OURS + b"\r\n", {400}),
    "a NUL in the target": (b"GET /health\0z HTTP/1.1\r\n" + OURS + b"\r\n", {400}),
    "bytes above ASCII in the target": (b"GET /\xff\xfe HTTP/1.1\r\n" + OURS + b"\r\n", {400}),
    "no host": (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", {400}),
    "no host, version 1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", {400}),
    "an empty host": (b"GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", {400}),
    "two hosts": (b"GET /healthz HTTP/1.1\r\n" + OURS + b"Host: evil.example\r\n\r\n", {400}),
    "a foreign host in the target": (
        b"GET http://evil.example/healthz HTTP/1.1\r\n" + OURS + b"\r\n",
        {400, 404},
    ),
    "a header without a colon": (b"GET /healthz HTTP/1.1\r\n" + OURS + b"evil\r\n\r\n", {400}),
    "a header with a space before its colon": (
        b"GET /healthz HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
        {400},
    ),
    "a NUL in a header": (b"GET /healthz HTTP/1.1\r\n" + OURS + b"X: a\0b\r\n\r\n", {400}),
    "a folded header": (b"GET /healthz HTTP/1.1\r\n" + OURS + b"X: a\r\n b\r\n\r\n", {200, 400}),
    "a header of 100 KB": (
        b"GET /healthz HTTP/1.1\r\n" + OURS + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        {200, 400, 431},
    ),
    "10,000 headers": (
        b"GET /healthz HTTP/1.1\r\n" + OURS + b"X: a\r\n" * 10_000 + b"\r\n",
        {200, 400, 431},
    ),
    "a target of 100 KB": (
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + OURS + b"\r\n",
        {400, 404, 414},
    ),
    "a length below zero": (_post(JSON + b"Content-Length: -1\r\n", BODY), {400}),
    "a length with a plus": (_post(JSON + b"Content-Length: +5\r\n", BODY), {400}),
    "a length of 30 digits": (
        _post(JSON + b"Content-Length: " + b"9" * 30 + b"\r\n", b""),
        {400, 413},
    ),
    "a length in hexadecimal": (_post(JSON + b"Content-Length: 0x20\r\n", BODY), {400}),
    "two lengths": (_post(JSON + _length(BODY) + b"Content-Length: 3\r\n", BODY), {400}),
    "a length and chunks": (
        _post(
            JSON + _length(BODY) + b"Transfer-Encoding: chunked\r\n", _chunk(BODY) + b"0\r\n\r\n"
        ),
        {200, 400},
    ),
    "an encoding of transfer that is none": (
        _post(JSON + b"Transfer-Encoding: evil\r\n", BODY),
        {400, 501},
    ),
    "a chunk that lies": (_chunked(b"5\r\n" + BODY), {400}),
    "a chunk without a size": (_chunked(b"\r\n" + BODY), {400}),
    "a chunk of 2**64 bytes": (_chunked(b"1" + b"0" * 16 + b"\r\n"), {400, 408, 413}),
    "a chunk of less than nothing": (_chunked(b"-5\r\n" + BODY), {400}),
    "a chunk with a long comment": (_chunked(b"5;" + b"x" * 100_000 + b"\r\n"), {400, 408}),
    "fields after the chunks": (
        _chunked(_chunk(BODY), b"0\r\nHost: evil.example\r\n\r\n"),
        {200, 400},
    ),
    "two requests in one": (
        _post(JSON.replace(b"Connection: close\r\n", b"") + _length(BODY), BODY)
        + b"\0\0\0\r\n\r\n",
        {200, 400},
    ),
    "an expectation": (_post(JSON + _length(BODY) + b"Expect: 100-continue\r\n", BODY), {100, 200}),
    "another expectation": (_post(JSON + _length(BODY) + b"Expect: evil\r\n", BODY), {200, 417}),
    "a tunnel": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + OURS + b"\r\n", {400, 404, 405}),
    "options of everything": (b"OPTIONS * HTTP/1.1\r\n" + OURS + b"\r\n", {400, 404, 405}),
    "an upgrade to HTTP/2": (
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, close\r\n"
        b"Upgrade: h2c\r\n\r\n",
        {200, 400},
    ),
    "a socket without a key": (
        b"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
        {400},
    ),
    "a socket of version 7": (
        b"GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 7\r\n\r\n",
        {400, 426},
    ),
    "a socket by POST": (
        _post(OURS.replace(b"close", b"Upgrade") + b"Upgrade: websocket\r\n", b"", b"/v1/ws"),
        {400, 404, 405},
    ),
    "a plain GET of the socket": (
        b"GET /v1/ws HTTP/1.1\r\n" + OURS + b"\r\n",
        {400, 404, 405, 426},
    ),
}


def handshake(*headers: bytes, host: bytes = b"127.0.0.1", path: bytes = b"/v1/ws") -> bytes:
    """The opening of a socket by hand."""
    lines = [
        b"GET " + path + b" HTTP/1.1",
        b"Host: " + host,
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return b"\r\n".join([*lines, b"", b""])


FOREIGN_SOCKETS = {
    "of an evil page": handshake(b"Origin: http://evil.example"),
    "of a page of nowhere": handshake(b"Origin: null"),
    "of a page that begins like ours": handshake(b"Origin: http://127.0.0.1.evil.example"),
    "of another scheme": handshake(b"Origin: ws://127.0.0.1"),
    "of two pages": handshake(b"Origin: http://127.0.0.1", b"Origin: http://evil.example"),
    "to an evil host": handshake(host=b"evil.example"),
    "to another loopback": handshake(host=b"127.0.0.2"),
    "to a route that is not there": handshake(path=b"/v1/socket"),
    "to a route of POST": handshake(path=b"/v1/step"),
}
"""Refused before they open."""
WRONG_TOKENS = (
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    "Bearer secret",
    "Bearer secret-of-the-server2",
    "Bearer secret-of-the-serve",
    "Bearer SECRET-OF-THE-SERVER",
    "bearer secret-of-the-server",
    "Basic c2VjcmV0LW9mLXRoZS1zZXJ2ZXI=",
    "secret-of-the-server",
    "Bearer secret-of-the-server, Bearer wrong",
    "Bearer " + "x" * 10_000,
    "Bearer \xff\xfe",
)


def endless(total: int, step: int = 2**16) -> Iterator[bytes]:
    """A chunked body of `total` spaces, in pieces."""
    yield _post(JSON + b"Transfer-Encoding: chunked\r\n", b"")
    for _ in range(0, total, step):
        yield _chunk(b" " * step)
    yield b"0\r\n\r\n"

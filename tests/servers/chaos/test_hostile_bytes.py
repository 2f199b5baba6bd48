"""Bytes that are hardly HTTP, bodies without end, sockets of foreign pages, wrong tokens."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from nasties import STEP
from nasty_bytes import BYTES, FOREIGN_SOCKETS, WRONG_TOKENS, endless, handshake
from raw_http import dial, exchange, get, open_files, parse, post, request, resident_kb, wait_until

from gigym.servers import HostedEnv, Limits, LocalServer, ServerSpec

SPEC = ServerSpec(
    envs=(HostedEnv(id="Corridor-v0"),),
    port=0,
    imports=("corridor_env",),
    limits=Limits(body_s=1.0, head_s=1.0),
)
TOKEN = "secret-of-the-server"
HUNDRED_MB = 100 * 10**6


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(SPEC) as server:
        yield server
        assert server.restarts == 0


@pytest.fixture(scope="module")
def guarded() -> Iterator[LocalServer]:
    with LocalServer(replace(SPEC, token=TOKEN)) as server:
        yield server


@pytest.mark.parametrize("name", BYTES)
def test_what_is_hardly_http_is_refused_and_harms_nobody(server: LocalServer, name: str) -> None:
    sent, statuses = BYTES[name]
    files = open_files(server.pid)
    answer = exchange(server.url, sent)
    assert answer.status in statuses, answer
    assert b"Traceback" not in answer.body and len(answer.body) < 1000
    assert get(server.url, "/healthz").status == 200
    wait_until(lambda: open_files(server.pid) <= files, "the connection is closed")


def test_a_hundred_megabytes_are_refused_before_they_are_read(server: LocalServer) -> None:
    before = resident_kb(server.pid)
    headers = {"Content-Length": str(HUNDRED_MB)}
    answer = exchange(server.url, request("POST", "/v1/step", b"", headers))
    assert (answer.status, answer.code) == (413, "TOO_LARGE")
    with dial(server.url) as line, suppress(OSError):
        for piece in endless(HUNDRED_MB):
            line.sendall(piece)
        heard = line.recv(65536)
        assert not heard or parse(heard).status == 413
    assert get(server.url, "/healthz").status == 200
    assert resident_kb(server.pid) - before < 40_000


def test_a_body_in_many_chunks_is_refused_with_words(server: LocalServer) -> None:
    pieces = b"".join(endless(8 * 2**20 + 2**16))
    answer = exchange(server.url, pieces)
    assert (answer.status, answer.code) == (413, "TOO_LARGE")
    assert "connection: close" in answer.head


@pytest.mark.parametrize("name", FOREIGN_SOCKETS)
def test_a_foreign_socket_is_refused_before_it_opens(server: LocalServer, name: str) -> None:
    with dial(server.url) as line:
        line.sendall(FOREIGN_SOCKETS[name])
        assert 400 <= parse(line.recv(65536)).status < 500
    with dial(server.url) as line:
        line.sendall(handshake(b"Origin: http://localhost:3000"))
        assert parse(line.recv(65536)).status == 101


@pytest.mark.parametrize("token", WRONG_TOKENS, ids=lambda token: token[:30])
def test_a_wrong_token_opens_nothing(guarded: LocalServer, token: str) -> None:
    for method, path in (
        ("POST", "/v1/step"),
        ("POST", "/v1/sessions"),
        ("GET", "/v1/sessions/s-none"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/v1/events"),
        ("GET", "/nowhere"),
    ):
        body = STEP.encode() if method == "POST" else None
        answer = exchange(guarded.url, request(method, path, body, {"Authorization": token}))
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), path
        assert TOKEN.encode() not in answer.body and "www-authenticate: bearer" in answer.head
    with dial(guarded.url) as line:
        line.sendall(handshake(f"Authorization: {token}".encode("latin-1")))
        assert parse(line.recv(65536)).status in (403, 431)


def test_a_token_in_the_address_opens_nothing(guarded: LocalServer) -> None:
    assert post(guarded.url, f"/v1/step?token={TOKEN}", {"items": []}).status == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    body = b'{"items":[]}'
    assert exchange(guarded.url, request("POST", "/v1/step", body, right)).status == 200
    assert TOKEN not in guarded.log.read_text()


def test_connections_that_vanish_leave_no_descriptor(server: LocalServer) -> None:
    files = open_files(server.pid)
    whole = request("POST", "/v1/step", STEP.encode(), {})
    for cut in range(0, len(whole), 7):
        with dial(server.url) as line:
            line.sendall(whole[:cut])
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_until(lambda: open_files(server.pid) <= files, "they are closed on both sides")
    assert get(server.url, "/healthz").status == 200

"""What must not pass the guard: foreign pages, wrong tokens, bodies that are not strict JSON."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from http_door import SPEC, Door, error_of, open_door

JSON = {"Content-Type": "application/json"}


async def post_raw(door: Door, body: bytes, **headers: str) -> httpx.Response:
    sent = httpx.Headers(JSON)
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    return await door.http.post("/v1/step", content=body, headers=sent)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost@evil"]
)
async def test_foreign_hosts_are_refused(host: str) -> None:
    async with open_door() as door:
        answer = await door.http.get("/v1/info", headers={"Host": host})
        assert (answer.status_code, error_of(answer)["code"]) == (400, "BAD_REQUEST")
        assert "--allow-host" in error_of(answer)["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:80", "me.lan"])
async def test_own_names_are_accepted(host: str) -> None:
    async with open_door(replace(SPEC, allow_hosts=("me.lan",))) as door:
        assert (await door.http.get("/v1/info", headers={"Host": host})).status_code == 200


async def test_bound_to_all_addresses_any_address_is_ours_but_no_name() -> None:
    async with open_door(replace(SPEC, host="0.0.0.0", token="t")) as door:
        assert (await door.http.get("/v1/info", headers={"Host": "10.1.2.3:80"})).status_code == 200
        assert (await door.http.get("/v1/info", headers={"Host": "evil.lan"})).status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("file://", 403),
        ("ftp://localhost", 403),
        ("http://localhost:3000", 200),
        ("https://127.0.0.1", 200),
    ],
)
async def test_pages_of_other_origins_are_refused(origin: str, status: int) -> None:
    async with open_door() as door:
        answer = await door.http.get("/v1/info", headers={"Origin": origin})
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "body",
    [
        b'{"items": [NaN]}',
        b'{"items": [Infinity]}',
        b'{"items": [-Infinity]}',
        b'{"items": [1e400]}',
        b'{"items": [9223372036854775808]}',
        b'{"items": [' + b"1" * 5000 + b"]}",
        b'{"items": [], "items": []}',
        b'{"items": ["\\ud800"]}',
        b'{"items": ["\\udc00\\ud800"]}',
        b'{"items": ["\xff"]}',
        b'{"items": ["\xed\xa0\x80"]}',
        b'{"items": ' + b"[" * 40 + b"]" * 40 + b"}",
        b"[" * 20_000,
        b'{"items": [}',
        b"{",
        b"",
        b"\xef\xbb\xbf{}",
        b"[]",
        b"null",
        b'"items"',
        b'{"item": []}',
        b'{"items": {}}',
        b'{"items": [], "more": 1}',
    ],
)
async def test_bodies_that_are_not_strict_json_are_refused(body: bytes) -> None:
    async with open_door() as door:
        answer = await post_raw(door, body)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "BAD_REQUEST")
        assert (await door.items("/v1/step")) == []


async def test_whole_surrogate_pairs_pass() -> None:
    async with open_door() as door:
        sid = await door.begun()
        body = json.dumps({"items": [{"sid": sid, "ep": 1, "n": 0, "action": "\U0001f600"}]})
        assert "\\ud83d\\ude00" in body
        answer = await post_raw(door, body.encode())
        assert answer.json()["results"][0]["n"] == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_taken(kind: str) -> None:
    async with open_door() as door:
        answer = await post_raw(door, b'{"items": []}', content_type=kind)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "BAD_REQUEST")


async def test_a_charset_does_no_harm() -> None:
    async with open_door() as door:
        answer = await post_raw(
            door, b'{"items": []}', content_type="application/json; charset=utf-8"
        )
        assert answer.status_code == 200


async def test_bodies_are_capped_whatever_they_claim() -> None:
    async with open_door(body_bytes=1000) as door:
        fits = b'{"items": []}'.ljust(1000)
        assert (await post_raw(door, fits)).status_code == 200

        async def streamed() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b" " * 100

        for answer in (
            await post_raw(door, fits + b" "),
            await door.http.post("/v1/step", content=streamed(), headers=JSON),
        ):
            assert (answer.status_code, error_of(answer)["code"]) == (413, "TOO_LARGE")
            assert answer.headers["Connection"] == "close"


async def test_a_body_must_arrive_in_time() -> None:
    async with open_door(body_s=0.1) as door:

        async def dripping() -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.02)

        answer = await door.http.post("/v1/step", content=dripping(), headers=JSON)
        assert (answer.status_code, error_of(answer)["code"]) == (408, "BAD_REQUEST")
        assert answer.headers["Connection"] == "close"


async def test_a_refused_request_does_not_hold_its_connection() -> None:
    async with open_door(replace(SPEC, token="t")) as door:
        answer = await post_raw(door, b"{}", authorization="Bearer wrong")
        assert (answer.status_code, answer.headers["Connection"]) == (401, "close")


async def test_gzip_is_inflated_within_bounds() -> None:
    async with open_door(body_bytes=1000) as door:
        sound = gzip.compress(b'{"items": []}')
        assert (await post_raw(door, sound, content_encoding="gzip")).status_code == 200
        bomb = gzip.compress(b" " * 100_000)
        assert (await post_raw(door, bomb, content_encoding="gzip")).status_code == 413
        for damaged in (sound[:-1], sound + b"x", sound + sound, b"plain", b""):
            answer = await post_raw(door, damaged, content_encoding="gzip")
            assert answer.status_code == 400, damaged
        assert (await post_raw(door, sound, content_encoding="br")).status_code == 400
        assert (await post_raw(door, sound, content_encoding="gzip, gzip")).status_code == 400


async def test_a_token_is_needed_for_all_but_health_and_info() -> None:
    async with open_door(replace(SPEC, token="secret")) as door:
        assert (await door.post("/v1/sessions", {"env": "Corridor-v0"})).status_code == 201
        for given in ("", "Bearer wrong", "secret", "bearer secret", "Bearer secret ", "Basic x"):
            answer = await door.post("/v1/sessions", {"env": "Corridor-v0"}, authorization=given)
            assert (answer.status_code, error_of(answer)["code"]) == (401, "UNAUTHORIZED")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert "secret" not in answer.text
        for path in ("/healthz", "/readyz", "/v1/info"):
            answer = await door.http.get(path, headers={"Authorization": ""})
            assert answer.status_code == 200
        hidden = await door.http.get("/openapi.json", headers={"Authorization": ""})
        assert hidden.status_code == 401


async def test_every_answer_names_the_boot_and_is_not_kept() -> None:
    async with open_door() as door:
        for answer in (
            await door.http.get("/healthz"),
            await door.http.get("/nowhere"),
            await post_raw(door, b"NaN"),
            await door.http.get("/healthz", headers={"Host": "evil"}),
        ):
            assert answer.headers["X-Gigym-Boot"] == door.host.boot
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"evil.example")],
        [(b"host", b"localhost"), (b"origin", b"http://evil.example")],
        [(b"host", b"localhost"), (b"host", b"localhost")],
    ],
)
async def test_sockets_of_foreign_pages_are_closed_before_they_open(
    headers: list[tuple[bytes, bytes]],
) -> None:
    from gigym.servers.guard import Guard

    async def untouched(*_: object) -> None:
        raise AssertionError("the application must not be reached")

    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/ws", "headers": headers}
    await Guard(untouched, SPEC, "b-1")(scope, receive, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_errors_repeat_no_values_and_stay_short() -> None:
    async with open_door() as door:
        for body in ({"items": "hunter2"}, {"items": [], "x" * 100_000: "hunter2"}):
            answer = await door.post("/v1/step", body)
            assert answer.status_code == 400 and "hunter2" not in answer.text
            assert len(answer.content) < 1000
        error = (await door.item("/v1/step", sid=5, action="hunter2"))["error"]
        assert error["code"] == "BAD_ITEM" and "hunter2" not in error["message"]

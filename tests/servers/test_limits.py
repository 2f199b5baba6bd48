"""Limits at their edge and one beyond it, stalled connections, surplus ones, a rate."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from http_door import SPEC, Door, Tree, error_of, open_door
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from gigym.envs import Reply
from gigym.envs.wire import DRAINING_HEADER
from gigym.servers import Limits
from gigym.servers.budget import Budget, cut_text
from gigym.servers.host import Host
from gigym.servers.listening import listen
from gigym.servers.rate import Bucket
from gigym.servers.run import EnvServer

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def running(token: str | None = None, **limits: float) -> Iterator[tuple[str, int]]:
    """A server in a thread; where it listens."""
    spec = replace(SPEC, token=token, limits=replace(SPEC.limits, **limits))
    answers = threading.Event()
    with listen("127.0.0.1", 0) as listener:
        address: tuple[str, int] = listener.getsockname()
        server = EnvServer(Host(spec), answers.set)
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()
        try:
            assert answers.wait(30)
            yield address
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def dialled(address: tuple[str, int], sent: bytes = b"") -> socket.socket:
    peer = socket.create_connection(address, timeout=20)
    peer.sendall(sent)
    return peer


def heard(peer: socket.socket) -> bytes:
    """All until the other end closes."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := peer.recv(65536):
            said += chunk
    return said


def answered(peer: socket.socket) -> bool:
    """Whether the next answer is that of `/healthz`."""
    said = b""
    while b"}" not in said and (chunk := peer.recv(65536)):
        said += chunk
    return said.startswith(b"HTTP/1.1 200") and said.endswith(b'{"status":"healthy"}')


def open_socket(address: tuple[str, int], **options: object) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{address[1]}/v1/ws", **options)  # type: ignore[arg-type]


def test_heads_that_do_not_come_hold_no_place() -> None:
    with running(head_s=1.0, connections=3, sessions=1) as address:
        stalled = [dialled(address), dialled(address, b"GET /heal"), dialled(address, GET[:-2])]
        with dialled(address, GET) as honest:
            assert answered(honest)
        assert [heard(peer) for peer in stalled] == [b"", b"", b""]
        with dialled(address, GET) as later:
            assert answered(later)
        for peer in stalled:
            peer.close()


def test_a_connection_between_two_requests_is_left_alone() -> None:
    with running(head_s=0.5) as address, dialled(address, GET) as peer:
        assert answered(peer)
        time.sleep(2.5)
        peer.sendall(GET)
        assert answered(peer)


def test_answers_that_are_not_read_are_given_up() -> None:
    with running(unread_s=1.0) as address:
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(20)
        peer.connect(address)
        asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
            for _ in range(2000):
                peer.sendall(asked)
                time.sleep(0.01)
        peer.close()


def test_surplus_connections_are_told_to_wait_and_the_others_go_on() -> None:
    with running(connections=2, sessions=1) as address:
        held = [dialled(address, GET) for _ in range(3)]
        assert all(answered(peer) for peer in held)
        with dialled(address, GET) as surplus:
            answer = heard(surplus)
        assert answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in answer
        assert b"x-gigym-boot: b-" in answer
        assert b'"code":"BUSY"' in answer
        assert b"nosniff" in answer and b"no-store" in answer
        with pytest.raises(InvalidStatus) as refused:
            open_socket(address)
        assert refused.value.response.status_code == 503
        held.pop().close()
        held[0].sendall(GET)
        assert answered(held[0])
        for peer in held:
            peer.close()


def test_sockets_pass_the_guard_too() -> None:
    with running(token="secret") as address:
        own = {"Authorization": "Bearer secret"}
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {**own, "Origin": "http://evil.example"},
            {**own, "Origin": "null"},
        ):
            with pytest.raises(InvalidStatus) as refused:
                open_socket(address, additional_headers=headers)
            assert refused.value.response.status_code == 403
        with open_socket(address, additional_headers=own) as ours:
            ours.send('{"id": 1, "call": "step", "items": []}')
            assert '"results":[]' in str(ours.recv(20))


def test_a_frame_may_be_as_long_as_a_body() -> None:
    with running(body_bytes=1000) as address, open_socket(address) as ours:
        frame = '{"id": 1, "call": "step", "items": []}'
        ours.send(frame.ljust(1000))
        assert '"results":[]' in str(ours.recv(20))
        ours.send(frame.ljust(1001))
        with pytest.raises(ConnectionClosed) as closed:
            ours.recv(20)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009


def test_frames_come_in_at_the_rate_that_is_allowed() -> None:
    with running(requests_per_s=4) as address, open_socket(address) as ours:
        began = time.monotonic()
        for id in range(43):
            ours.send(f'{{"id": {id}, "call": "close", "items": []}}')
            assert '"results":[]' in str(ours.recv(20))
        assert time.monotonic() - began > 0.5, "forty at once, then four a second"


async def stepped(door: Door, env: str, action: str, n: int = 0, sid: str = "") -> Tree:
    sid = sid or await door.begun(env)
    return await door.item("/v1/step", sid=sid, ep=1, n=n, action=action)


async def test_actions_end_at_their_limit() -> None:
    async with open_door(action_bytes=8) as door:
        assert "reply" in await stepped(door, "Corridor-v0", "\u00e9" * 4)
        over = await stepped(door, "Corridor-v0", "\u00e9" * 4 + "x")
        assert over["error"]["code"] == "BAD_ITEM" and "8 bytes" in over["error"]["message"]


async def test_items_end_at_their_limit() -> None:
    async with open_door(items=3) as door:
        assert len(await door.items("/v1/close", *[{"sid": f"s{i}"} for i in range(3)])) == 3
        answer = await door.post("/v1/close", {"items": [{"sid": "s"}] * 4})
        assert (answer.status_code, error_of(answer)["code"]) == (413, "TOO_LARGE")


async def test_long_observations_are_cut_with_a_marker() -> None:
    async with open_door(observation_bytes=1000) as door:
        result = await stepped(door, "Trapdoor-v0", "long")
        text = result["reply"]["observation"]
        assert len(text.encode()) <= 1000 and text.endswith("x\n[299019 bytes cut]")
        assert text.count("x") + 299_019 == 300_000


@pytest.mark.parametrize("text", ["a" * 100, "\u00e9" * 50, "\U0001f400" * 25])
def test_a_cut_text_fits_and_says_what_is_missing(text: str) -> None:
    for most in range(25, 100):
        cut = cut_text(text, most)
        kept, _, marker = cut.rpartition("\n[")
        assert len(cut.encode()) <= most and text.startswith(kept)
        assert int(marker.split()[0]) == 100 - len(kept.encode())


async def test_an_observation_at_its_limit_is_whole() -> None:
    async with open_door(observation_bytes=300_000) as door:
        assert (await stepped(door, "Trapdoor-v0", "long"))["reply"]["observation"] == "x" * 300_000


async def test_an_episode_that_weighs_too_much_is_truncated() -> None:
    async with open_door(episode_bytes=400) as door:
        sid, n = await door.begun("Corridor-v0"), 0
        result = await stepped(door, "Corridor-v0", "look", n, sid)
        while not result["reply"]["truncated"]:
            n += 1
            result = await stepped(door, "Corridor-v0", "look", n, sid)
        assert 5 < n < 29 and result["reply"]["info"]["truncated_by"] == "episode_bytes"
        over = await stepped(door, "Corridor-v0", "look", n + 1, sid)
        assert over["error"]["code"] == "EPISODE_OVER"
        again = await door.item("/v1/reset", sid=sid, ep=1, seed=7)
        assert again["reply"]["truncated"] is False


def test_an_episode_ends_at_its_last_byte() -> None:
    budget = Budget(Limits(episode_bytes=20))
    budget.begin()
    assert not budget.pay("", Reply(observation="0123456789")).done
    assert not budget.pay("go", Reply(observation="0123456")).truncated
    assert budget.pay("", Reply(observation="x")).truncated
    assert budget.cuts == ("episode",)
    budget.begin()
    assert budget.pay("\u00e9" * 10, Reply(observation="")).truncated, "bytes, not characters"


async def test_info_ends_at_its_limit() -> None:
    for limit, found in ((10, "error"), (16 * 2**10, "reply")):
        async with open_door(info_bytes=limit) as door:
            (sid,) = await door.lease()
            result = await door.item("/v1/reset", sid=sid, ep=0, seed=1)
            assert found in result


async def test_the_queue_is_four_deep_for_each_session() -> None:
    async with open_door(sessions=2) as door:
        await door.lease(count=2)
        body = {"env": "Corridor-v0", "wait_s": 30}
        waiting = [asyncio.create_task(door.post("/v1/sessions", body)) for _ in range(8)]
        while len(door.host.admission) < 8:
            await asyncio.sleep(0.01)
        over = await door.post("/v1/sessions", body)
        assert (over.status_code, over.headers["Retry-After"]) == (429, "2")
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert len(door.host.admission) == 0


def test_a_bucket_holds_ten_seconds_and_fills_steadily() -> None:
    now = [0.0]
    bucket = Bucket(2.0, lambda: now[0])
    assert [bucket.take() for _ in range(20)] == [0.0] * 20
    assert bucket.take() == pytest.approx(0.5)
    now[0] += 0.5
    assert (bucket.take(), bucket.take()) == (0.0, pytest.approx(0.5))
    now[0] += 1e6
    assert [bucket.take() for _ in range(20)] == [0.0] * 20 and bucket.take() > 0


async def test_a_rate_refuses_with_the_time_to_wait() -> None:
    async with open_door(requests_per_s=0.1) as door:
        assert (await door.post("/v1/close", {"items": []})).status_code == 200
        answer = await door.post("/v1/close", {"items": []})
        assert (answer.status_code, error_of(answer)["code"]) == (429, "BUSY")
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
        for path in ("/healthz", "/readyz", "/v1/info"):
            assert (await door.http.get(path)).status_code == 200


async def test_a_draining_server_says_so_with_every_answer() -> None:
    async with open_door() as door:
        answers: list[httpx.Response] = [await door.http.get("/healthz")]
        door.host.ends, door.host.draining = time.monotonic() + 20, True
        answers += [await door.http.get("/healthz"), await door.http.get("/nowhere")]
        said = [answer.headers.get(DRAINING_HEADER) for answer in answers]
        assert said[0] is None and all(10 < float(left or 0) <= 20 for left in said[1:])

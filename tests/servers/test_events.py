"""`/v1/events`: what happened, in order, to be resumed, and nobody waits for a slow reader."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from http_door import SPEC, open_door

from gigym.servers.events import Events

Seen = tuple[int, str, dict[str, object]]


async def take(stream: AsyncIterator[bytes], count: int) -> list[Seen]:
    """The next so many events; comments are passed over."""
    seen: list[Seen] = []
    async with asyncio.timeout(20):
        while len(seen) < count:
            chunk = (await anext(stream)).decode()
            for block in chunk.strip().split("\n\n"):
                if not block.startswith(":"):
                    fields = dict(line.split(": ", 1) for line in block.splitlines())
                    data = json.loads(fields["data"])
                    seen.append((int(fields["id"]), fields["event"], data))
    return seen


def kinds(seen: list[Seen]) -> list[str]:
    return [kind for _, kind, _ in seen]


async def test_a_life_is_told_in_order() -> None:
    async with open_door() as door:
        sid = await door.begun("Corridor-v0")
        n = 0
        while True:
            result = await door.item("/v1/step", sid=sid, ep=1, n=n, action="look")
            n = result["n"]
            if result["reply"]["truncated"]:
                break
        await door.items("/v1/close", {"sid": sid})
        door.host.watch.draining()
        seen = await take(door.host.events.follow("0"), 4)
        assert kinds(seen) == [
            "session.created",
            "episode.end",
            "session.closed",
            "server.draining",
        ]
        first = seen[0][0]
        assert [id for id, _, _ in seen] == [first, first + 1, first + 2, first + 3]
        assert seen[0][2] == {"sid": sid, "env": "Corridor-v0"}
        assert seen[1][2] == {
            "sid": sid,
            "env": "Corridor-v0",
            "ep": 1,
            "n": 30,
            "return": 0.0,
            "terminated": False,
            "truncated": True,
        }


async def test_a_reader_hears_what_comes_and_resumes_where_it_was() -> None:
    events = Events(100, first_id=5)
    live = events.follow(None)
    assert (await anext(live)).startswith(b":")
    for sid in ("a", "b", "c"):
        events.created(sid, "E")
    assert [id for id, _, _ in await take(live, 3)] == [5, 6, 7]
    assert [id for id, _, _ in await take(events.follow("5"), 2)] == [6, 7]
    waiting = events.follow("7")
    events.ended("c", "E", "lost")
    assert await take(waiting, 1) == [(8, "session.lost", {"sid": "c", "env": "E"})]


@pytest.mark.parametrize("last", ["5", "3", "9999", "x", "-1", "", "9" * 400, "\u0665"])
async def test_who_missed_something_is_told_of_a_gap(last: str) -> None:
    events = Events(3, first_id=5)
    for sid in "abcdef":
        events.created(sid, "E")
    seen = await take(events.follow(last), 4)
    assert kinds(seen) == ["gap", *["session.created"] * 3]
    assert [data.get("sid") for _, _, data in seen[1:]] == ["d", "e", "f"]


async def test_ids_of_a_former_server_are_a_gap() -> None:
    former = Events(10)
    former.created("a", "E")
    ((id, _, _),) = await take(former.follow("0"), 1)
    await asyncio.sleep(0.001)
    now = Events(10)
    now.created("b", "E")
    assert kinds(await take(now.follow(str(id)), 2)) == ["gap", "session.created"]


async def test_a_slow_reader_loses_its_place_and_holds_up_nobody() -> None:
    events = Events(1000, first_id=1)
    slow, quick = events.follow(None), events.follow(None)
    await anext(slow)
    await anext(quick)
    for number in range(5000):
        events.created(str(number), "E")
        if number % 500 == 499:
            assert len(await take(quick, 500)) == 500
    seen = await take(slow, 1001)
    assert kinds(seen)[0] == "gap" and seen[1][2]["sid"] == "4000"


async def test_silence_is_filled_and_the_end_ends_every_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gigym.servers.events._COMMENT_S", 0.02)
    events = Events(10)
    stream = events.follow(None)
    async with asyncio.timeout(20):
        for _ in range(3):
            assert (await anext(stream)).startswith(b":")
        events.close()
        assert [chunk async for chunk in stream] == []


async def test_events_need_the_token() -> None:
    async with open_door(replace(SPEC, token="secret")) as door:
        answer = await door.http.get("/v1/events", headers={"Authorization": ""})
        assert answer.status_code == 401


async def test_over_http_they_are_server_sent_events() -> None:
    async with open_door() as door:
        await door.lease()
        asyncio.get_running_loop().call_later(0.2, door.host.events.close)
        answer = await door.http.get("/v1/events", headers={"Last-Event-ID": "0"})
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert "\nevent: session.created\ndata: {" in answer.text

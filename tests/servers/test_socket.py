"""`/v1/ws`: frames in, answers out, and a client that misbehaves harms only itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from http_door import SPEC
from socket_door import AsgiSocket

from gigym.envs.remote.spec import SocketRefused
from gigym.envs.wire import SessionsRequest, StepItem
from gigym.servers import ServerSpec, socket
from gigym.servers.app import create_app
from gigym.servers.batch import Result
from gigym.servers.host import Host


@asynccontextmanager
async def door(
    spec: ServerSpec = SPEC, room: int = 64, **headers: str
) -> AsyncIterator[tuple[Host, AsgiSocket]]:
    """A fresh server and a socket to it."""
    host = Host(spec)
    client = AsgiSocket(create_app(host), headers, room)
    try:
        yield host, await client.open()
    finally:
        await client.close()
        async with asyncio.timeout(5):
            await client.served


async def leased(host: Host, count: int = 1, env: str = "Corridor-v0") -> list[str]:
    return await host.lease(SessionsRequest(env=env, count=count))


async def begun(host: Host, client: AsgiSocket, count: int = 1) -> list[str]:
    """Sessions whose first episode was started."""
    sids = await leased(host, count)
    items = [{"sid": sid, "ep": 0, "seed": 7} for sid in sids]
    answer = await client.ask(id=0, call="reset", items=items)
    assert [result["n"] for result in answer["results"]] == [0] * count
    return sids


def step(sid: str, n: int, action: str = "east", ep: int = 1) -> dict[str, Any]:
    return {"sid": sid, "ep": ep, "n": n, "action": action}


async def test_every_call_of_the_socket_answers_what_its_post_answers() -> None:
    async with door() as (host, client):
        (sid,) = await begun(host, client)
        assert client.boot == host.boot
        stepped = await client.ask(id=1, call="step", items=[step(sid, 0)])
        again = await client.ask(id=2, call="step", items=[step(sid, 0)])
        assert stepped["results"][0]["n"] == 1 and again["results"][0]["replayed"]
        frozen = (await client.ask(id=3, call="snapshot", items=[{"sid": sid}]))["results"][0]
        thawed = await client.ask(
            id=4, call="restore", items=[{"sid": sid, "snapshot": frozen["snapshot"]}]
        )
        assert thawed["results"][0]["reply"] == stepped["results"][0]["reply"]
        renewed = await client.ask(id=5, call="renew", items=[{"sid": sid}])
        assert renewed["results"][0]["lease_until"] > 0
        closed = await client.ask(id=6, call="close", items=[{"sid": sid}])
        assert closed == {"id": 6, "results": [{"sid": sid, "closed": True}]}
        gone = await client.ask(id=7, call="step", items=[step(sid, 1)])
        assert gone["results"][0]["error"]["code"] == "SESSION_UNKNOWN"


async def test_a_bad_item_harms_no_other() -> None:
    async with door() as (host, client):
        (sid,) = await begun(host, client)
        items = [{"sid": "s", "n": "one"}, step(sid, 0), step(sid, 1), 17]
        results = (await client.ask(id=1, call="step", items=items))["results"]
        codes = [result.get("error", {}).get("code") for result in results]
        assert codes == ["BAD_ITEM", None, "BAD_ITEM", "BAD_ITEM"]


BAD_FRAMES = [
    ("{", None, "not JSON"),
    ("[]", None, "dictionary"),
    ('"text"', None, "dictionary"),
    ('{"id":1}', 1, "call"),
    ('{"id":true,"call":"step","items":[]}', None, "id"),
    ('{"id":-1,"call":"step","items":[]}', None, "id"),
    ('{"id":1.0,"call":"step","items":[]}', None, "id"),
    ('{"id":9007199254740992,"call":"step","items":[]}', None, "id"),
    ('{"id":2,"call":"fork","items":[]}', 2, "call"),
    ('{"id":2,"call":"step","items":{}}', 2, "items"),
    ('{"id":2,"call":"step","items":[],"more":1}', 2, "more"),
    ('{"id":2,"id":3,"call":"step","items":[]}', None, "twice"),
    ('{"id":2,"call":"step","items":[NaN]}', None, "NaN"),
    ('{"id":2,"call":"step","items":["\\ud800"]}', None, "surrogate"),
    ('{"id":2,"call":"step","items":' + "[" * 40 + "]" * 40 + "}", None, "deeper"),
    ('{"id":2,"call":"step","items":' + "[" * 20_000 + "]" * 20_000 + "}", None, "deeper"),
]


async def test_a_bad_frame_is_answered_and_the_socket_stays() -> None:
    async with door() as (host, client):
        for text, number, why in BAD_FRAMES:
            await client.send(text.encode())
            answer = json.loads(await client.receive())
            assert answer["id"] == number and answer["error"]["code"] == "BAD_REQUEST", text[:50]
            assert why in answer["error"]["message"], answer
        assert await begun(host, client)


async def test_binary_frames_are_refused() -> None:
    async with door() as (host, client):
        await client.send_raw({"bytes": b'{"id":1,"call":"step","items":[]}'})
        answer = json.loads(await client.receive())
        assert answer["id"] is None and "text frames" in answer["error"]["message"]
        assert await begun(host, client)


async def test_items_are_limited_and_an_empty_frame_is_fine() -> None:
    async with door(replace(SPEC, limits=replace(SPEC.limits, items=3))) as (_, client):
        item = {"sid": "s"}
        assert len((await client.ask(id=1, call="close", items=[item] * 3))["results"]) == 3
        answer = await client.ask(id=2, call="close", items=[item] * 4)
        assert answer["error"]["code"] == "TOO_LARGE" and answer["id"] == 2
        assert await client.ask(id=3, call="step", items=[]) == {"id": 3, "results": []}


async def test_many_items_are_answered_in_their_order() -> None:
    async with door() as (host, client):
        sids = await begun(host, client, 100)
        answer = await client.ask(id=1, call="step", items=[step(sid, 0) for sid in sids])
        assert [result["sid"] for result in answer["results"]] == sids


STRANGERS = (
    {"Host": "evil.example"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "secret"},
    {},
)


async def test_the_guard_stands_before_the_socket() -> None:
    app = create_app(Host(replace(SPEC, token="secret")))
    token = {"Authorization": "Bearer secret"}
    for headers in STRANGERS:
        stranger = AsgiSocket(app, {**token, **headers} if headers else {})
        with pytest.raises(SocketRefused):
            await stranger.open()
        await stranger.served
    welcome = await AsgiSocket(app, token).open()
    await welcome.close()
    await welcome.served


async def test_a_draining_server_says_so_in_every_answer() -> None:
    async with door() as (host, client):
        (sid,) = await begun(host, client)
        host.draining = True
        answer = await client.ask(id=1, call="step", items=[step(sid, 0)])
        assert answer["draining"] is True and answer["results"][0]["n"] == 1
        assert (await client.ask(id=2, call="nothing", items=[]))["draining"] is True


def slow_steps(host: Host, gates: dict[str, asyncio.Event]) -> None:
    """Let the steps of some sessions wait, as those of worker processes do."""
    steps = host.store.step

    def step(item: StepItem) -> Result:
        return late(item) if item.sid in gates else steps(item)

    async def late(item: StepItem) -> bytes:
        await gates[item.sid].wait()
        result = steps(item)
        assert isinstance(result, bytes)
        return result

    host.store.step = step


async def test_a_slow_session_holds_up_no_other_frame() -> None:
    async with door() as (host, client):
        slow, quick = await begun(host, client, 2)
        gates = {slow: asyncio.Event()}
        slow_steps(host, gates)
        await client.send(json.dumps({"id": 1, "call": "step", "items": [step(slow, 0)]}).encode())
        answer = await client.ask(id=2, call="step", items=[step(quick, 0)])
        assert answer["id"] == 2
        gates[slow].set()
        assert json.loads(await client.receive())["id"] == 1


async def test_frames_under_way_are_bounded() -> None:
    async with door() as (host, client):
        (slow, quick) = await begun(host, client, 2)
        gates = {slow: asyncio.Event()}
        slow_steps(host, gates)
        for number in range(socket.FRAMES):
            frame = {"id": number, "call": "step", "items": [step(slow, number)]}
            await client.send(json.dumps(frame).encode())
        await client.send(
            json.dumps({"id": 99, "call": "step", "items": [step(quick, 0)]}).encode()
        )
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.receive(), 0.1)
        gates[slow].set()
        async with asyncio.timeout(5):
            numbers = [json.loads(await client.receive())["id"] for _ in range(socket.FRAMES + 1)]
        assert sorted(numbers) == [*range(socket.FRAMES), 99]


async def test_who_does_not_read_is_read_no_further_and_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "STALLED_S", 0.3)
    async with door(room=2) as (host, client), door(room=2) as (_, _other):
        (sid,) = await begun(host, client)
        for n in range(50):
            frame = {"id": n, "call": "step", "items": [step(sid, n)]}
            await client.send(json.dumps(frame).encode())
        await asyncio.sleep(0.1)
        view = json.loads(await asyncio.ensure_future(_view(host, sid)))
        assert view["n"] <= 4, "what is not answered is not executed"
        async with asyncio.timeout(5):
            await client.served
        assert len(host.store) == 1, "its sessions wait for it to come back"


async def _view(host: Host, sid: str) -> bytes:
    view = host.store.view(sid)
    return view if isinstance(view, bytes) else await view


async def test_what_is_under_way_when_a_client_leaves_is_finished() -> None:
    async with door() as (host, client):
        (sid,) = await begun(host, client)
        gates = {sid: asyncio.Event()}
        slow_steps(host, gates)
        await client.send(json.dumps({"id": 1, "call": "step", "items": [step(sid, 0)]}).encode())
        await asyncio.sleep(0.01)
        await client.close()
        await asyncio.sleep(0.01)
        gates[sid].set()
        async with asyncio.timeout(5):
            await client.served
        assert json.loads(await _view(host, sid))["n"] == 1


async def test_sockets_leave_no_task_behind() -> None:
    before = asyncio.all_tasks()
    async with door() as (host, client):
        await begun(host, client, 3)
    assert asyncio.all_tasks() == before

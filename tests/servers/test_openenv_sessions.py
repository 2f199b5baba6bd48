"""Sockets come and go, sessions stay: attaching, drops, leases, capacity, draining."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from corridor_env import Corridor
from fuse_env import Fuse
from http_door import SPEC, Clock, Tree
from openenv_door import House, Talk, open_house, until

from gigym.servers import HostedEnv
from gigym.servers.openenv import attach


async def native(house: House, path: str, body: Tree) -> Tree:
    async with httpx.AsyncClient(base_url=house.url) as http:
        return (await http.post(path, json=body)).json()


async def leased(house: House, env: str = "Corridor-v0") -> str:
    answer = await native(house, "/v1/sessions", {"env": env})
    return answer["sessions"][0]["sid"]


async def begun(talk: Talk) -> str:
    """The session of a socket, two steps into its episode."""
    await talk.told("reset", {"seed": 7, "episode_id": "E7"})
    for _ in range(2):
        await talk.step("east")
    return (await talk.state())["session_id"]


async def test_a_dropped_socket_leaves_its_episode_to_the_next_one() -> None:
    env = Corridor()
    env.start(7)
    expected = [env.answer("east").observation for _ in range(3)]
    async with open_house() as house:
        async with house.talk() as talk:
            sid = await begun(talk)
            talk.socket.transport.abort()
        async with house.talk(f"/ws?session_id={sid}") as talk:
            state = await talk.state()
            assert (state["episode_id"], state["step_count"]) == ("E7", 2)
            assert (await talk.step("east"))["observation"]["text"] == expected[2]
            await talk.socket.send('{"type":"close"}')
            assert await talk.closed() == 1000
        assert len(house.host.store) == 0


async def test_a_step_whose_socket_dropped_is_taken_once_and_waited_for() -> None:
    spec = replace(SPEC, envs=(HostedEnv(id="Fuse-v0"),), workers=1, imports=("fuse_env",))
    async with open_house(spec) as house:
        async with house.talk() as talk:
            await talk.told("reset", {"seed": 7})
            sid = (await talk.state())["session_id"]
            await talk.socket.send('{"type":"step","data":{"command":"wait"}}')
            await asyncio.sleep(0.2)
            talk.socket.transport.abort()
        async with house.talk(f"/ws?session_id={sid}") as talk:
            assert (await talk.state())["step_count"] == 1
            await talk.step("look")
            assert (await talk.state())["step_count"] == 2


async def test_a_session_that_is_closed_while_attached_ends_with_its_socket() -> None:
    async with open_house() as house:
        async with house.talk() as talk:
            sid = await begun(talk)
            close: Tree = {"jsonrpc": "2.0", "id": 1, "method": "openenv/session/close"}
            answer = await native(house, "/mcp", {**close, "params": {"session_id": sid}})
            assert answer["result"] == {"session_id": sid, "closed": False, "closing": True}
            await talk.step("east")
        await until(lambda: len(house.host.store) == 0)


async def test_one_socket_at_a_time() -> None:
    async with open_house() as house, house.talk() as talk:
        sid = await begun(talk)
        async with house.talk(f"/ws?session_id={sid}") as second:
            error = await second.hear()
            assert error["data"]["code"] == "SESSION_ERROR"
            assert "already" in error["data"]["message"]
            assert await second.closed() == 1000
        assert (await talk.state())["step_count"] == 2


async def test_an_unknown_session_is_an_error_that_closes() -> None:
    async with open_house() as house:
        for sid in ("s-none", "x" * 300, "%00"):
            async with house.talk(f"/ws?session_id={sid}") as talk:
                assert (await talk.hear())["data"]["code"] == "SESSION_ERROR"
                assert await talk.closed() == 1000
        assert len(house.host.store) == 0


async def test_a_native_session_is_taken_over_and_left_behind() -> None:
    async with open_house() as house:
        sid = await leased(house)
        item: Tree = {"sid": sid, "ep": 0, "seed": 7}
        await native(house, "/v1/reset", {"items": [item]})
        async with house.talk(f"/ws?session_id={sid}") as talk:
            assert (await talk.state())["step_count"] == 0
            await talk.step("east")
            # The other client may play meanwhile; this one then goes on from there.
            step = {"sid": sid, "ep": 1, "n": 1, "action": "look"}
            await native(house, "/v1/step", {"items": [step]})
            assert (await talk.state())["step_count"] == 2
            step = {"sid": sid, "ep": 1, "n": 2, "action": "east"}
            await native(house, "/v1/step", {"items": [step]})
            assert "at 3" in (await talk.step("east"))["observation"]["text"]
            assert (await talk.state())["step_count"] == 4
            await talk.socket.send('{"type":"close"}')
            assert await talk.closed() == 1000
        assert sid in house.host.store


async def test_a_session_of_another_environment_is_refused_under_a_name_not_at_the_root() -> None:
    async with open_house() as house:
        sid = await leased(house, "Hallway-v0")
        async with house.talk(f"/openenv/Corridor-v0/ws?session_id={sid}") as talk:
            assert (await talk.hear())["data"]["code"] == "SESSION_ERROR"
        for path in ("/openenv/Hallway-v0/ws", "/ws"):
            async with house.talk(f"{path}?session_id={sid}") as talk:
                await talk.told("reset", {"seed": 7})
            await until(lambda: house.hall.seats.attached == 0)


async def test_a_session_that_was_ended_elsewhere_closes_the_socket() -> None:
    async with open_house() as house, house.talk() as talk:
        sid = await begun(talk)
        await native(house, "/v1/close", {"items": [{"sid": sid}]})
        assert (await talk.error("step", {"command": "east"}))["code"] == "SESSION_ERROR"
        assert await talk.closed() == 1000


async def test_leases_are_renewed_while_a_socket_is_attached_and_end_after_a_drop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attach, "_RENEWAL_S", (0.02, 0.02))
    clock = Clock()
    async with open_house(clock=clock, lease_s=30) as house, house.talk() as talk:
        sid = await begun(talk)
        for _ in range(3):
            clock.now += 20
            await asyncio.sleep(0.7)
            house.host.store.sweep()
        assert (await talk.state())["step_count"] == 2
        talk.socket.transport.abort()
        await until(lambda: house.hall.seats.attached == 0)
        assert sid in house.host.store
        clock.now += 31
        house.host.store.sweep()
        assert sid not in house.host.store


async def test_a_socket_that_never_played_leaves_nothing() -> None:
    async with open_house() as house:
        async with house.talk() as talk:
            await talk.state()
            talk.socket.transport.abort()
        await until(lambda: len(house.host.store) == 0)


async def test_a_full_server_lets_a_client_queue() -> None:
    async with open_house(sessions=1) as house, house.talk() as first:
        await first.state()
        async with house.talk() as second:
            asking = asyncio.create_task(second.state())
            await asyncio.sleep(0.2)
            assert not asking.done()
            await first.socket.send('{"type":"close"}')
            assert (await asking)["step_count"] == 0


async def test_a_client_that_leaves_the_queue_takes_no_place() -> None:
    async with open_house(sessions=1) as house, house.talk() as first:
        await first.state()
        async with house.talk() as second:
            second.socket.transport.abort()
        async with house.talk() as third:
            asking = asyncio.create_task(third.state())
            await asyncio.sleep(0.1)
            await first.socket.send('{"type":"close"}')
            assert (await asking)["step_count"] == 0
            assert len(house.host.store) == 1


async def test_a_queue_that_is_full_is_told_with_numbers() -> None:
    async with open_house(sessions=1, queued_per_session=0) as house, house.talk() as first:
        await first.state()
        async with house.talk() as second:
            error = (await second.hear())["data"]
            assert error["code"] == "CAPACITY_REACHED"
            assert (error["active_sessions"], error["max_sessions"]) == (1, 1)
            assert await second.closed() == 1000
        async with house.talk("/mcp") as third:
            rpc = (await third.hear())["error"]
            assert (rpc["code"], rpc["data"]["max_sessions"]) == (-32000, 1)


async def test_a_draining_server_takes_no_socket_and_serves_those_it_has() -> None:
    async with open_house(replace(SPEC, grace_s=20.0)) as house, house.talk() as first:
        await begun(first)
        house.host.draining = True
        async with house.talk() as second:
            assert (await second.hear())["data"]["code"] == "CAPACITY_REACHED"
        await first.step("east")
        house.host.draining = False


async def test_an_environment_that_cannot_be_built_is_a_factory_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_house(replace(SPEC, envs=(HostedEnv(id="Fuse-v0"),))) as house:
        monkeypatch.setattr(Fuse, "blown", True)
        async with house.talk() as talk:
            error = (await talk.hear())["data"]
            assert (error["code"], error["factory_name"]) == ("FACTORY_ERROR", "Fuse-v0")
            assert "the fuse is blown" in error["message"]
            assert await talk.closed() == 1000
        assert house.host.store.free == house.host.spec.limits.sessions


async def test_hundreds_of_sockets_come_and_go_without_a_trace() -> None:
    async with open_house(sessions=64) as house:

        async def visit(number: int) -> None:
            async with house.talk() as talk:
                await talk.told("reset", {"seed": number})
                await talk.step("east")
                await talk.socket.send('{"type":"close"}')
                await talk.closed()

        tasks = len(asyncio.all_tasks())
        for _ in range(4):
            await asyncio.gather(*(visit(number) for number in range(32)))
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        assert len(house.host.store) == 0


async def test_json_rpc_over_a_socket_of_its_own() -> None:
    async with open_house() as house:
        async with house.talk("/mcp") as talk:
            assert (await talk.raw("{"))["error"]["code"] == -32700
            assert (await talk.raw("[]"))["error"]["code"] == -32600
            made = await talk.raw(
                '{"jsonrpc":"2.0","id":1,"method":"openenv/session/create","params":{}}'
            )
            assert made["result"]["session_id"] in house.host.store
        await until(lambda: len(house.host.store) == 0)

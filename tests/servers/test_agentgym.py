"""AgentGym's routes: whole episodes as its clients play them, errors in its way, no leaks."""

import asyncio
from dataclasses import replace

import httpx
import pytest
from http_door import SPEC, Clock, Door, Tree, open_door

from gigym.envs import UnknownEnv, make
from gigym.servers import HostedEnv
from gigym.servers.app import create_app
from gigym.servers.host import Host

HOUSE = replace(SPEC, envs=(HostedEnv(id="ALFWorld-v0"),), agentgym="alfworld")
SHOP = replace(SPEC, envs=(HostedEnv(id="WebShop-v0"),), agentgym="webshop")
CRAFT = replace(SPEC, agentgym="Corridor-v0")


async def told(door: Door, path: str, **body: object) -> Tree:
    answer = await door.post(path, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_house_is_played_to_its_end() -> None:
    async with open_door(HOUSE) as door:
        number = (await door.http.post("/create")).json()["id"]
        began = await told(door, "/reset", id=number, game=3, world_type="Text")
        assert began["observation"].startswith("You are in the middle of a room.")
        assert "\nYour task is to: " in began["observation"] and began["task_type"]
        env = make("ALFWorld-v0")
        policy, reply = env.expert(), env.start(3)
        assert began["available_actions"] == list(reply.admissible_actions or ())
        while not reply.done:
            action = policy.act(reply)
            reply = env.answer(action)
            heard = await told(door, "/step", id=number, action=action)
            assert heard["observation"] == reply.observation
            assert (heard["done"], heard["reward"]) == (reply.done, float(reply.done))
        assert "error" in await told(door, "/step", id=number, action="look")
        assert (await told(door, "/reset", id=number, game=4, world_type="Text"))["id"] == number
        shown = await door.http.get("/available_actions", params={"id": number})
        assert "look" in shown.json()
        assert await told(door, "/close", id=number) == {"id": number, "closed": True}
        assert len(door.host.store) == 0


async def test_a_shop_speaks_its_own_way() -> None:
    async with open_door(SHOP) as door:
        shop = (await door.http.post("/create")).json()
        page, nothing = (await door.post("/reset", {"env_idx": shop, "session_id": 1})).json()
        assert nothing is None
        query = {"env_idx": shop}
        assert (await door.http.get("/observation", params=query)).json() == page
        shown = (await door.http.get("/available_actions", params=query)).json()
        assert shown["has_search_bar"] is True
        found = await told(door, "/step", env_idx=shop, action="search[shirt]")
        assert (found["done"], found["reward"], found["info"]) == (False, 0.0, None)
        assert found["state"] != page
        shown = (await door.http.get("/available_actions", params=query)).json()
        assert shown["has_search_bar"] is False and "back to search" in shown["clickables"]
        assert (await door.http.get("/list_envs")).json() == [shop]
        assert await told(door, "/close", env_idx=shop) == {"closed": True}
        assert await told(door, "/close", env_idx=shop) == {"closed": False}


async def test_other_environments_are_crafted() -> None:
    async with open_door(CRAFT) as door:
        made = await told(door, "/create", commands=None, goal=None)
        assert made["observation"] == "It is dark." and made["done"] is False
        assert (await told(door, "/step", id=made["id"], action="east"))["reward"] == 0.0
        again = await told(door, "/reset", id=made["id"], data_idx=7)
        shown = await door.http.get("/observation", params={"id": made["id"]})
        assert shown.json() == again["observation"]


async def test_moves_that_are_wrong_are_answered_in_agentgyms_way() -> None:
    async with open_door(HOUSE) as door:
        assert "not valid" in (await told(door, "/step", id=99, action="look"))["error"]
        number = (await door.http.post("/create")).json()["id"]
        assert "error" in await told(door, "/step", id=number, action="look")
        shown = await door.http.get("/observation", params={"id": number})
        assert "not reset" in shown.json()["error"]
        assert (await door.post("/step", {"id": "x"})).status_code == 400


async def test_what_clients_forget_ends_with_its_lease() -> None:
    clock = Clock()
    async with open_door(CRAFT, clock, sessions=3) as door:
        for _ in range(3):
            assert (await told(door, "/create"))["id"] >= 0
        clock.now += 700
        door.host.store.sweep()
        assert len(door.host.store) == 0
        assert "error" in await told(door, "/step", id=0, action="east")
        assert (await told(door, "/create"))["id"] == 3


async def test_moves_made_at_the_same_time_are_all_made() -> None:
    spec = replace(CRAFT, workers=1, imports=("corridor_env",))
    async with open_door(spec) as door:
        number = (await door.http.post("/create")).json()["id"]
        moves = [told(door, "/step", id=number, action="east") for _ in range(3)]
        seen = [told["observation"] for told in await asyncio.gather(*moves)]
        assert [text[: len("You stand at 1")] for text in seen] == [
            f"You stand at {place}" for place in (1, 2, 3)
        ]


async def test_a_draining_server_creates_nothing() -> None:
    async with open_door(CRAFT) as door:
        door.host.draining = True
        assert (await door.post("/create", {})).status_code == 503


async def test_the_published_routes_are_those_that_act() -> None:
    async with open_door(HOUSE) as door:
        paths = (await door.http.get("/openapi.json")).json()["paths"]
        assert paths["/reset"]["post"]["tags"] == ["AgentGym"]
        assert paths["/schema"]["get"]["tags"] == ["OpenEnv"]


def test_a_world_that_is_not_served_is_named() -> None:
    with pytest.raises(UnknownEnv, match="needs ALFWorld-v0 among the environments served"):
        create_app(Host(replace(SPEC, agentgym="alfworld")))


async def test_without_the_flag_there_are_no_such_routes() -> None:
    async with open_door() as door:
        answer: httpx.Response = await door.http.post("/create")
        assert answer.status_code == 404

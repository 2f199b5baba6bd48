"""Snapshots, recipes and forks: an episode goes on elsewhere as it would have here."""

import gc
import weakref
from typing import Any

import pytest
from corridor_env import Corridor
from http_door import Door, error_of, open_door

from gigym.envs.wire import ForkItem, ForkRequest

ACTIONS = ["east", "look", "east", "west"]


async def play(door: Door, sid: str, actions: list[str], n: int = 0) -> list[Any]:
    results = [
        await door.item("/v1/step", sid=sid, ep=1, n=n + i, action=action)
        for i, action in enumerate(actions)
    ]
    return [result["reply"] for result in results]


async def keys_of(door: Door, env: str, actions: list[str]) -> tuple[list[str], Any]:
    """Replay keys of an episode, and the reply to one more action."""
    (sid,) = await door.lease(env)
    opening = (await door.item("/v1/reset", sid=sid, ep=0, seed=7))["reply"]
    replies = [opening, *await play(door, sid, actions)]
    following = (await play(door, sid, ["east"], n=len(actions)))[0]
    keys = [reply["state_key"] or reply["observation_key"] for reply in replies]
    return keys, following


@pytest.mark.parametrize("env", ["Corridor-v0", "Hallway-v0"])
async def test_a_recipe_brings_a_session_to_the_same_state(env: str) -> None:
    async with open_door() as door:
        keys, following = await keys_of(door, env, ACTIONS)
        (sid,) = await door.lease(env)
        recipe = {"seed": 7, "options": {}, "actions": ACTIONS, "keys": keys}
        result = await door.item("/v1/restore", sid=sid, recipe=recipe)
        assert (result["ep"], result["n"]) == (1, len(ACTIONS))
        assert await play(door, sid, ["east"], n=len(ACTIONS)) == [following]


@pytest.mark.parametrize("at", [0, 2, 4])
async def test_a_replay_that_leaves_the_path_is_refused_where_it_does(at: int) -> None:
    async with open_door() as door:
        keys, _ = await keys_of(door, "Corridor-v0", ACTIONS)
        (sid,) = await door.lease()
        false = [*keys[:at], "0" * 32, *keys[at + 1 :]]
        recipe = {"seed": 7, "actions": ACTIONS, "keys": false}
        error = (await door.item("/v1/restore", sid=sid, recipe=recipe))["error"]
        assert (error["code"], error["retryable"]) == ("REPLAY_DIVERGED", False)
        assert error["detail"] == {"at": at, "want": "0" * 32, "got": keys[at]}
        step = await door.item("/v1/step", sid=sid, ep=1, n=0, action="east")
        assert step["error"]["code"] == "NOT_RESET"


async def test_a_recipe_longer_than_the_episode_has_diverged() -> None:
    async with open_door() as door:
        (sid,) = await door.lease(options={"max_steps": 2})
        recipe = {"seed": 7, "actions": ACTIONS}
        error = (await door.item("/v1/restore", sid=sid, recipe=recipe))["error"]
        assert (error["code"], error["detail"]["at"]) == ("REPLAY_DIVERGED", 3)


async def test_a_restore_that_names_its_place_may_be_repeated() -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        item: dict[str, Any] = {"sid": sid, "ep": 0, "recipe": {"seed": 7, "actions": ACTIONS}}
        first = await door.item("/v1/restore", **item)
        before = Corridor.total
        assert await door.item("/v1/restore", **item) == {**first, "replayed": True}
        assert Corridor.total == before
        other = {**item, "recipe": {"seed": 8}}
        assert (await door.item("/v1/restore", **other))["error"]["code"] == "STEP_CONFLICT"


@pytest.mark.parametrize(("env", "kind"), [("Corridor-v0", "data"), ("Hallway-v0", "recipe")])
async def test_a_snapshot_goes_on_in_another_server(env: str, kind: str) -> None:
    async with open_door() as here, open_door() as there:
        sid = await here.begun(env)
        await play(here, sid, ACTIONS)
        snapshot = (await here.item("/v1/snapshot", sid=sid))["snapshot"]
        assert (snapshot["kind"], snapshot["portable"], snapshot["env"]) == (kind, True, env)
        following = await play(here, sid, ["east", "west"], n=len(ACTIONS))
        (other,) = await there.lease(env)
        result = await there.item("/v1/restore", sid=other, snapshot=snapshot)
        assert (result["ep"], result["n"]) == (1, len(ACTIONS))
        assert result["reply"]["state_key"] == snapshot["state_key"]
        assert await play(there, other, ["east", "west"], n=len(ACTIONS)) == following


@pytest.mark.parametrize("env", ["Corridor-v0", "Hallway-v0"])
async def test_forks_stand_where_the_parent_stands_and_go_their_own_way(env: str) -> None:
    async with open_door() as door:
        sid = await door.begun(env)
        await play(door, sid, ACTIONS)
        forked = await door.item("/v1/fork", sid=sid, count=2)
        a, b = [child["sid"] for child in forked["children"]]
        last = await door.item("/v1/step", sid=a, ep=1, n=3, action=ACTIONS[3])
        assert last["replayed"]
        east = await play(door, a, ["east", "east"], n=4)
        west = await play(door, b, ["west", "east"], n=4)
        assert await play(door, sid, ["east", "east"], n=4) == east
        assert [r["observation"] for r in east] != [r["observation"] for r in west]


async def test_a_repeated_fork_gives_the_same_children() -> None:
    async with open_door() as door:
        sid = await door.begun()
        body = {"items": [{"sid": sid, "count": 2}]}
        first = await door.post("/v1/fork", body, idempotency_key="k")
        again = await door.post("/v1/fork", body, idempotency_key="k")
        assert first.json() == again.json() and len(door.host.store) == 3


async def test_a_fork_that_found_no_room_may_be_tried_again_under_its_key() -> None:
    async with open_door(sessions=4) as door:
        a, b, full = await door.lease(count=3)
        await door.items("/v1/reset", *[{"sid": sid, "ep": 0, "seed": 7} for sid in (a, b)])
        body = {"items": [{"sid": a, "count": 1}, {"sid": b, "count": 1}]}
        first = (await door.post("/v1/fork", body, idempotency_key="k")).json()["results"]
        assert first[1]["error"]["code"] == "BUSY"
        await door.item("/v1/close", sid=full)
        again = (await door.post("/v1/fork", body, idempotency_key="k")).json()["results"]
        assert again[0] == first[0] and len(again[1]["children"]) == 1
        other = await door.post("/v1/fork", {"items": body["items"][:1]}, idempotency_key="k")
        assert (other.status_code, error_of(other)["code"]) == (400, "BAD_REQUEST")


async def test_what_is_remembered_of_a_key_is_not_the_request() -> None:
    async with open_door() as door:
        host = door.host
        request = ForkRequest(items=[ForkItem(sid="s-nobody", count=1)])
        seen = weakref.ref(request)
        await host.fork(request, "k")
        del request
        gc.collect()
        assert seen() is None, "a client may use thousands of keys, each with a body of megabytes"


async def test_a_fork_without_room_is_busy() -> None:
    async with open_door(sessions=2) as door:
        sid = await door.begun()
        error = (await door.item("/v1/fork", sid=sid, count=2))["error"]
        assert (error["code"], error["retryable"]) == ("BUSY", True)
        assert len((await door.item("/v1/fork", sid=sid, count=1))["children"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"env": "Hallway-v0"},
        {"version": "9.9.9"},
        {"blob": "{}"},
        {"blob": "not json"},
        {"blob": '{"env":"Corridor-v0","version":"1.0.0","turns":-1,"last":{},"frozen":{}}'},
        {"kind": "recipe", "blob": '{"seed":"x"}'},
    ],
)
async def test_what_is_no_snapshot_is_refused(changes: dict[str, str]) -> None:
    async with open_door() as door:
        sid = await door.begun()
        snapshot = (await door.item("/v1/snapshot", sid=sid))["snapshot"]
        result = await door.item("/v1/restore", sid=sid, snapshot={**snapshot, **changes})
        assert result["error"]["code"] == "BAD_ITEM", result


async def test_a_snapshot_with_a_broken_state_hurts_only_its_session() -> None:
    async with open_door() as door:
        sid, other = await door.begun(), await door.begun()
        snapshot = (await door.item("/v1/snapshot", sid=sid))["snapshot"]
        blob = snapshot["blob"].replace('"here":0', '"there":0')
        results = await door.items(
            "/v1/restore",
            {"sid": sid, "snapshot": {**snapshot, "blob": blob}},
            {"sid": other, "snapshot": snapshot},
        )
        assert results[0]["error"]["code"] == "ENV_ERROR"
        assert results[0]["error"]["detail"] == {"type": "KeyError"}
        assert results[1]["ep"] == 2


async def test_snapshots_have_a_longest_length() -> None:
    async with open_door(snapshot_bytes=100) as door:
        sid = await door.begun()
        assert (await door.item("/v1/snapshot", sid=sid))["error"]["code"] == "TOO_LARGE"
        big = {"kind": "data", "env": "Corridor-v0", "version": "1.0.0", "blob": "x" * 101}
        error = (await door.item("/v1/restore", sid=sid, snapshot=big))["error"]
        assert error["code"] == "TOO_LARGE"


@pytest.mark.parametrize("sources", [{}, {"recipe": {"seed": 1}, "snapshot": {"kind": "data"}}])
async def test_a_restore_needs_exactly_one_source(sources: dict[str, Any]) -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        result = await door.item("/v1/restore", sid=sid, **sources)
        assert result["error"]["code"] == "BAD_ITEM"


async def test_keys_and_actions_of_a_recipe_must_fit() -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        recipe = {"seed": 7, "actions": ["east"], "keys": ["a"]}
        error = (await door.item("/v1/restore", sid=sid, recipe=recipe))["error"]
        assert "keys must be one more than actions" in error["message"]


async def test_an_environment_that_cannot_be_replayed_says_so() -> None:
    async with open_door() as door:
        (sid,) = await door.lease("Trapdoor-v0")
        error = (await door.item("/v1/snapshot", sid=sid))["error"]
        assert error["code"] == "NOT_RESET"
        body = {"items": [{"sid": sid, "count": 1}]}
        assert (await door.post("/v1/fork", body)).json()["results"][0]["error"] == error
        assert error_of(await door.post("/v1/fork", {}))["code"] == "BAD_REQUEST"

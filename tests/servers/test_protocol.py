"""The batch protocol over ASGI: positions, repetition, isolation of items, options, errors."""

import json

import pytest
from corridor_env import Corridor
from http_door import Door, Tree, error_of, open_door

from gigym.envs import Reply
from gigym.envs.base import TextEnv


def as_body(reply: Reply) -> Tree:
    return {
        "observation": reply.observation,
        "state_key": reply.state_key,
        "observation_key": reply.observation_key,
        "admissible_actions": list(reply.admissible_actions or ()),
        "reward": reply.reward,
        "terminated": reply.terminated,
        "truncated": reply.truncated,
        "info": dict(reply.info),
    }


async def step(door: Door, sid: str, n: int, action: str = "east", ep: int = 1) -> Tree:
    return await door.item("/v1/step", sid=sid, ep=ep, n=n, action=action)


async def test_replies_are_those_of_the_environment_in_process() -> None:
    env: TextEnv = Corridor()
    async with open_door() as door:
        (sid,) = await door.lease()
        result = await door.item("/v1/reset", sid=sid, ep=0, seed=7, options={"task": "lamp"})
        assert result == {"sid": sid, "ep": 1, "n": 0, "reply": as_body(env.start(7))}
        for n, action in enumerate(["east", "look", "east", "west", "take lamp"]):
            result = await step(door, sid, n, action)
            assert result == {"sid": sid, "ep": 1, "n": n + 1, "reply": as_body(env.answer(action))}


async def test_a_repeated_step_is_answered_from_memory() -> None:
    async with open_door() as door:
        sid = await door.begun()
        first = await step(door, sid, 0)
        before = Corridor.total
        again = await step(door, sid, 0)
        assert again == {**first, "replayed": True}
        assert Corridor.total == before


async def test_another_action_at_a_taken_step_is_a_conflict() -> None:
    async with open_door() as door:
        sid = await door.begun()
        await step(door, sid, 0, "east")
        error = (await step(door, sid, 0, "west"))["error"]
        assert (error["code"], error["detail"], error["retryable"]) == (
            "STEP_CONFLICT",
            {"n": 1},
            False,
        )


@pytest.mark.parametrize(("ep", "n"), [(1, 3), (1, 0), (0, 2), (2, 2), (2, 0)])
async def test_any_other_position_is_refused_and_changes_nothing(ep: int, n: int) -> None:
    async with open_door() as door:
        sid = await door.begun()
        await step(door, sid, 0)
        second = await step(door, sid, 1)
        error = (await step(door, sid, n, ep=ep))["error"]
        assert (error["code"], error["detail"]) == ("STEP_INDEX", {"ep": 1, "n": 2})
        assert (await step(door, sid, 1))["reply"] == second["reply"]


async def test_an_episode_that_is_over_takes_no_step_but_repeats_its_last() -> None:
    async with open_door() as door:
        (sid,) = await door.lease(options={"max_steps": 2})
        await door.item("/v1/reset", sid=sid, ep=0, seed=7)
        await step(door, sid, 0)
        last = await step(door, sid, 1)
        assert last["reply"]["truncated"]
        assert (await step(door, sid, 2))["error"]["code"] == "EPISODE_OVER"
        assert (await step(door, sid, 1)) == {**last, "replayed": True}
        assert (await door.item("/v1/reset", sid=sid, ep=1, seed=7))["ep"] == 2


async def test_a_step_before_the_first_reset_is_refused() -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        for ep in (0, 1):
            assert (await step(door, sid, 0, ep=ep))["error"]["code"] == "NOT_RESET"


async def test_a_repeated_reset_gives_the_opening_even_after_steps() -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        opening = await door.item("/v1/reset", sid=sid, ep=0, seed=7)
        stepped = await step(door, sid, 0)
        again = await door.item("/v1/reset", sid=sid, ep=0, seed=7)
        assert again == {**opening, "replayed": True}
        assert (await step(door, sid, 0))["reply"] == stepped["reply"]


async def test_resets_are_placed_by_ep() -> None:
    async with open_door() as door:
        sid = await door.begun(seed=7)
        conflict = await door.item("/v1/reset", sid=sid, ep=0, seed=8)
        assert conflict["error"]["code"] == "STEP_CONFLICT"
        for ep in (2, 5):
            gap = await door.item("/v1/reset", sid=sid, ep=ep, seed=8)
            assert (gap["error"]["code"], gap["error"]["detail"]["ep"]) == ("STEP_INDEX", 1)
        assert (await door.item("/v1/reset", sid=sid, ep=1, seed=8))["ep"] == 2


async def test_results_stand_in_the_order_of_items_and_a_bad_item_fails_alone() -> None:
    async with open_door() as door:
        a, b, c = await door.lease(count=3)
        results = await door.items(
            "/v1/reset",
            {"sid": a, "ep": 0, "seed": 1},
            {"sid": b, "ep": 0, "seed": "one"},
            {"sid": "s-none", "ep": 0, "seed": 1},
            {"sid": c, "ep": 0, "seed": 3, "colour": "red"},
            {"ep": 0, "seed": 3},
            {"sid": a, "ep": 1, "seed": 2},
            {"sid": c, "ep": 0, "seed": 3},
        )
        codes = [result.get("error", {}).get("code", "ok") for result in results]
        assert codes == [
            "ok",
            "BAD_ITEM",
            "SESSION_UNKNOWN",
            "BAD_ITEM",
            "BAD_ITEM",
            "BAD_ITEM",
            "ok",
        ]
        assert [result["sid"] for result in results] == [a, b, "s-none", c, None, a, c]
        assert "seed" in results[1]["error"]["message"]
        assert "colour" in results[3]["error"]["message"]


async def test_lines_carry_the_position_of_their_item() -> None:
    async with open_door() as door:
        sids = await door.lease(count=3)
        items = [{"sid": sid, "ep": 0, "seed": 1} for sid in sids]
        answer = await door.post("/v1/reset", {"items": items}, accept="application/x-ndjson")
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        lines = [line for line in answer.text.split("\n") if line]
        plain = await door.items("/v1/reset", *items)
        read = [json.loads(line) for line in lines]
        assert [line.pop("i") for line in read] == [0, 1, 2]
        assert [{**line, "replayed": True} for line in read] == plain


async def test_options_of_a_client_go_over_those_of_the_host() -> None:
    async with open_door() as door:
        (sid,) = await door.lease(options={"length": 3, "max_steps": 1})
        await door.item("/v1/reset", sid=sid, ep=0, seed=7)
        assert (await step(door, sid, 0))["reply"]["truncated"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plan": "/etc/passwd"}, ["'plan'", "Corridor-v0", "gigym serve"]),
        ({"lenght": 3}, ["'lenght'", "Did you mean 'length'?"]),
        ({"length": 1}, ["length must be 2 to 1000"]),
    ],
)
async def test_options_that_a_client_may_not_set_are_refused(
    options: Tree, words: list[str]
) -> None:
    async with open_door() as door:
        body = {"env": "Corridor-v0", "options": options}
        answer = await door.post("/v1/sessions", body)
        error = error_of(answer)
        assert (answer.status_code, error["code"]) == (400, "BAD_REQUEST")
        assert error["detail"] == {"type": "BadOption"}
        assert all(word in error["message"] for word in words)
        assert len(door.host.store) == 0


async def test_an_unknown_environment_is_named_with_its_neighbour() -> None:
    async with open_door() as door:
        answer = await door.post("/v1/sessions", {"env": "Coridor-v0"})
        assert answer.status_code == 404
        assert error_of(answer)["code"] == "UNKNOWN_ENV"
        assert "did you mean 'Corridor-v0'?" in error_of(answer)["message"]


async def test_sessions_are_closed_once_and_again() -> None:
    async with open_door() as door:
        sid = await door.begun()
        for _ in range(2):
            assert await door.item("/v1/close", sid=sid) == {"sid": sid, "closed": True}
        assert (await step(door, sid, 0))["error"]["code"] == "SESSION_UNKNOWN"
        assert door.host.store.free == door.host.spec.limits.sessions


async def test_a_session_can_be_looked_at() -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        fresh = (await door.http.get(f"/v1/sessions/{sid}")).json()
        assert (fresh["ep"], fresh["n"], fresh["last"], fresh["state_key"]) == (0, 0, None, None)
        await door.item("/v1/reset", sid=sid, ep=0, seed=7)
        taken = await step(door, sid, 0)
        seen = (await door.http.get(f"/v1/sessions/{sid}")).json()
        assert (seen["env"], seen["ep"], seen["n"]) == ("Corridor-v0", 1, 1)
        assert seen["last"] == taken["reply"] and seen["state_key"] == taken["reply"]["state_key"]
        missing = await door.http.get("/v1/sessions/s-none")
        assert (missing.status_code, error_of(missing)["code"]) == (404, "SESSION_UNKNOWN")


async def test_info_tells_what_a_client_needs() -> None:
    async with open_door(items=17) as door:
        answer = await door.http.get("/v1/info")
        info = answer.json()
        assert (info["protocol"], info["auth"]) == ("gigym/1", "none")
        assert info["boot"] == answer.headers["X-Gigym-Boot"] == door.host.boot
        corridor, hallway, *_ = info["envs"]
        assert corridor["id"] == "Corridor-v0" and corridor["version"] == "1.0.0"
        assert {"state_key", "snapshot", "fork", "replay"} <= set(corridor["caps"])
        assert "snapshot" not in hallway["caps"]
        assert corridor["options"] == ["length", "max_steps"]
        facts = {"deterministic": True, "state_is_markov": True, "success_reward": 1.0}
        facts |= {"reward_range": [0.0, 1.0], "max_steps": 30, "agents": 1, "num_tasks": None}
        assert {name: corridor[name] for name in facts} == facts
        assert info["limits"]["items"] == 17 and info["free"] == 1024


async def test_more_items_than_allowed_are_too_large() -> None:
    async with open_door(items=2) as door:
        items = [{"sid": f"s-{i}", "ep": 0, "seed": 1} for i in range(3)]
        answer = await door.post("/v1/reset", {"items": items})
        assert (answer.status_code, error_of(answer)["code"]) == (413, "TOO_LARGE")
        assert (await door.items("/v1/reset", *items[:2]))[0]["error"]["code"] == "SESSION_UNKNOWN"


async def test_actions_are_limited_in_bytes() -> None:
    async with open_door(action_bytes=8) as door:
        sid = await door.begun()
        for action in ("x" * 9, "\u00e9" * 5):
            assert (await step(door, sid, 0, action))["error"]["code"] == "BAD_ITEM"
        assert (await step(door, sid, 0, "\u00e9" * 4))["n"] == 1


async def test_no_items_is_no_error() -> None:
    async with open_door() as door:
        assert await door.items("/v1/step") == []


async def test_unknown_routes_and_methods_answer_in_the_same_form() -> None:
    async with open_door() as door:
        missing = await door.http.get("/v2/info")
        assert (missing.status_code, error_of(missing)["code"]) == (404, "UNKNOWN_ROUTE")
        wrong = await door.http.get("/v1/step")
        assert (wrong.status_code, error_of(wrong)["code"]) == (405, "UNKNOWN_ROUTE")
        assert wrong.headers["Allow"] == "POST"

"""OpenEnv's HTTP routes: what they answer, what they refuse, and that they leave no session."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from corridor_env import Corridor
from http_door import SPEC, Door, Tree, open_door

from gigym.envs import BadOption
from gigym.servers import HostedEnv

STEERING = ("/reset", "/step", "/state")


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


async def get(door: Door, path: str) -> Tree:
    answer = await door.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problems(answer: httpx.Response) -> list[tuple[str, list[str | int]]]:
    """Kinds and places of what a 422 names."""
    assert answer.status_code == 422, answer.text
    detail: list[Tree] = answer.json()["detail"]
    assert all(set(found) == {"type", "loc", "msg", "input"} for found in detail)
    return [(found["type"], found["loc"]) for found in detail]


@pytest.mark.parametrize("base", ["", "/openenv/Hallway-v0"])
async def test_a_server_passes_the_checks_of_openenvs_validator(door: Door, base: str) -> None:
    published = await get(door, f"{base}/openapi.json")
    assert isinstance(published["info"]["version"], str)
    assert (await get(door, f"{base}/health"))["status"] == "healthy"
    metadata = await get(door, f"{base}/metadata")
    assert isinstance(metadata["name"], str) and isinstance(metadata["description"], str)
    schema = await get(door, f"{base}/schema")
    assert all(isinstance(schema[name], dict) for name in ("action", "observation", "state"))
    mcp = await door.post(f"{base}/mcp", {})
    assert (mcp.status_code, mcp.json()["jsonrpc"]) == (200, "2.0")
    assert set(STEERING) <= set(published["paths"])


async def test_production_mode_hides_the_routes_that_steer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENENV_MODE", "production")
    async with open_door() as door:
        published = await get(door, "/openapi.json")
        assert not {path for path in published["paths"] if path in STEERING}
        assert (await door.post("/reset", {})).status_code == 404
        assert (await door.post("/openenv/Corridor-v0/step", {})).status_code == 404
        assert (await get(door, "/metadata"))["name"] == "Corridor-v0"
    monkeypatch.setenv("OPENENV_MODE", "staging")
    with pytest.raises(BadOption, match="simulation or production, got 'staging'"):
        async with open_door():
            pass


async def test_the_action_has_exactly_one_required_field_a_text(door: Door) -> None:
    action = (await get(door, "/schema"))["action"]
    assert action["required"] == ["command"]
    assert action["properties"]["command"]["type"] == "string"
    assert set(action["properties"]) == {"command", "metadata"}
    assert action["additionalProperties"] is False


async def test_metadata_tells_the_environment_that_the_path_names(door: Door) -> None:
    assert await get(door, "/metadata") == {
        "name": "Corridor-v0",
        "description": "find the lamp in a dark corridor",
        "readme_content": None,
        "version": "1.0.0",
        "author": None,
        "documentation_url": None,
    }
    assert (await get(door, "/openenv/Dice-v0/metadata"))["name"] == "Dice-v0"
    for route in ("health", "metadata", "schema", "state", "docs", "openapi.json"):
        unknown = await door.http.get(f"/openenv/Nowhere-v0/{route}")
        assert unknown.status_code == 404 and "Nowhere-v0" in unknown.json()["detail"], route


async def test_a_reset_answers_the_beginning_and_keeps_nothing(door: Door) -> None:
    answer = (await door.post("/reset", {"seed": 7, "episode_id": "E7", "mood": 3})).json()
    opening = Corridor().start(7)
    assert answer["observation"]["text"] == opening.observation
    assert answer["observation"]["metadata"]["state_key"] == opening.state_key
    assert (answer["reward"], answer["done"]) == (None, False)
    assert answer["metadata"]["ignored"] == ["mood"]
    assert len(door.host.store) == 0


async def test_a_reset_needs_no_body(door: Door) -> None:
    assert (await door.http.post("/reset")).status_code == 200
    assert (await door.post("/reset", None)).status_code == 200


async def test_a_step_lands_on_a_fresh_episode(door: Door) -> None:
    env = Corridor()
    env.start(7)
    expected = env.answer("east").observation
    for _ in range(2):
        body = {"action": {"command": "east"}, "seed": 7, "timeout_s": 20, "request_id": "r1"}
        answer = (await door.post("/step", body)).json()
        assert answer["observation"]["text"] == expected
        assert (answer["reward"], answer["done"]) == (0.0, False)
    assert len(door.host.store) == 0


async def test_the_state_is_that_of_a_fresh_environment(door: Door) -> None:
    state = await get(door, "/state")
    assert (state["episode_id"], state["step_count"], state["env"]) == (None, 0, "Corridor-v0")


@pytest.mark.parametrize(
    ("body", "kind", "loc"),
    [
        ({"seed": -1}, "greater_than_equal", ["body", "seed"]),
        ({"seed": True}, "int_type", ["body", "seed"]),
        ({"seed": 1.0}, "int_type", ["body", "seed"]),
        ({"seed": "1"}, "int_type", ["body", "seed"]),
        ({"episode_id": "x" * 256}, "string_too_long", ["body", "episode_id"]),
        ({"episode_id": 7}, "string_type", ["body", "episode_id"]),
        ({"options": []}, "dict_type", ["body", "options"]),
        ({"length": 3}, "value_error", ["length"]),
        ({"task": "sofa"}, "value_error", []),
        ([], "model_attributes_type", ["body"]),
    ],
)
async def test_a_reset_that_cannot_be_honoured_is_refused(
    door: Door, body: object, kind: str, loc: list[str]
) -> None:
    assert problems(await door.post("/reset", body)) == [(kind, loc)]
    assert len(door.host.store) == 0


@pytest.mark.parametrize(
    ("body", "kind", "loc"),
    [
        ({}, "missing", ["body", "action"]),
        ({"action": {}}, "missing", ["body", "action", "command"]),
        ({"action": {"command": {}}}, "string_type", ["body", "action", "command"]),
        ({"action": {"command": "a", "x": 1}}, "extra_forbidden", ["body", "action", "x"]),
        ({"action": {"command": "a"}, "timeout_s": 0}, "greater_than", ["body", "timeout_s"]),
        ({"action": {"command": "a"}, "seed": -1}, "greater_than_equal", ["body", "seed"]),
        ({"action": {"command": "a"}, "request_id": 7}, "string_type", ["body", "request_id"]),
        ({"action": {"command": "x" * 70_000}}, "value_error", []),
    ],
)
async def test_a_step_that_does_not_validate_is_refused(
    door: Door, body: object, kind: str, loc: list[str]
) -> None:
    assert problems(await door.post("/step", body)) == [(kind, loc)]
    assert len(door.host.store) == 0


async def test_what_an_environment_raises_is_no_error_of_the_server(door: Door) -> None:
    broken = await door.post("/openenv/Trapdoor-v0/step", {"action": {"command": "crash"}})
    assert problems(broken) == [("env_error", [])]
    assert "the floor gives way" in broken.json()["detail"][0]["msg"]
    assert len(door.host.store) == 0


async def test_a_long_value_is_not_sent_back_whole(door: Door) -> None:
    answer = await door.post("/reset", {"seed": "x" * 100_000})
    assert len(answer.content) < 1000
    answer = await door.post("/reset", {"seed": ["x" * 100_000]})
    assert len(answer.content) < 1000


async def test_a_full_server_answers_429_and_when_to_come_again() -> None:
    async with open_door(sessions=1, queued_per_session=0) as door:
        await door.lease()
        answer = await door.post("/reset", {})
        assert answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["error"]["code"] == "BUSY"
        assert isinstance(answer.json()["detail"], str)


async def test_refusals_are_counted(door: Door) -> None:
    await door.post("/reset", {"seed": -1})
    await door.post("/openenv/Trapdoor-v0/step", {"action": {"command": "crash"}})
    await door.http.get("/openenv/Nowhere-v0/schema")
    counted = (await door.http.get("/metrics")).text
    for code in ("VALIDATION_ERROR", "ENV_ERROR", "UNKNOWN_ENV"):
        assert f'gigym_errors_total{{code="{code}"}} 1.0' in counted, code


async def test_the_token_is_asked_for_but_by_health() -> None:
    async with open_door(replace(SPEC, token="sesame")) as door:
        bare = {"Authorization": ""}
        for path in ("/metadata", "/schema", "/state", "/docs", "/openenv/Dice-v0/schema"):
            assert (await door.http.get(path, headers=bare)).status_code == 401, path
        assert (await door.http.get("/health", headers=bare)).status_code == 200
        assert (await get(door, "/metadata"))["name"] == "Corridor-v0"


async def test_docs_are_a_page_without_scripts(door: Door) -> None:
    for path in ("/docs", "/openenv/Dice-v0/docs"):
        answer = await door.http.get(path)
        assert answer.headers["content-type"].startswith("text/html")
        assert "/schema" in answer.text and "<script" not in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_document_of_a_face_says_where_it_stands(door: Door) -> None:
    published = await get(door, "/openenv/Dice-v0/openapi.json")
    assert published["servers"] == [{"url": "/openenv/Dice-v0"}]
    assert "/reset" in published["paths"] and "/v1/reset" not in published["paths"]


async def test_unknown_routes_beside_a_face_are_unknown(door: Door) -> None:
    for path in ("/resets", "/openenv", "/openenv/Dice-v0", "/openenv/Dice-v0/resets"):
        assert (await door.http.get(path)).status_code == 404, path
    assert (await door.http.get("/step")).status_code == 405


async def test_the_first_environment_stands_at_the_root() -> None:
    envs = (HostedEnv(id="Dice-v0"), HostedEnv(id="Corridor-v0"))
    async with open_door(replace(SPEC, envs=envs)) as door:
        assert (await get(door, "/metadata"))["name"] == "Dice-v0"
        assert (await door.http.get("/list_environments")).json() == ["Dice-v0", "Corridor-v0"]
        told = await door.post("/openenv/Corridor-v0/reset", {"seed": 7})
        assert told.json()["observation"]["text"] == "It is dark."

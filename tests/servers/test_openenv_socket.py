"""OpenEnv's `/ws` over a real server: episodes, error codes, which of them close the socket."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from corridor_env import Corridor
from http_door import SPEC, Tree
from openenv_door import House, Talk, open_house
from websockets.exceptions import InvalidStatus

from gigym.envs import Reply


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


@pytest.fixture
async def talk(house: House) -> AsyncIterator[Talk]:
    async with house.talk() as talk:
        yield talk


def as_data(reply: Reply, **metadata: object) -> Tree:
    told: Tree = {
        "truncated": reply.truncated,
        "state_key": reply.state_key,
        "observation_key": reply.observation_key,
        "info": dict(reply.info),
        **metadata,
    }
    return {
        "observation": {
            "text": reply.observation,
            "admissible_actions": list(reply.admissible_actions or ()),
            "metadata": told,
        },
        "reward": None if metadata else reply.reward,
        "done": reply.done,
        "metadata": told,
    }


async def test_an_episode_is_the_one_that_is_played_in_process(talk: Talk) -> None:
    env = Corridor()
    opening = await talk.ask("reset", {"seed": 7, "episode_id": "E7"})
    assert opening == {"type": "observation", "data": as_data(env.start(7), seed=7)}
    for action in ["east", "look", "east", "west", "take lamp", "east"]:
        assert await talk.step(action) == as_data(env.answer(action))


async def test_state_tells_the_name_and_every_step_of_the_episode(talk: Talk) -> None:
    before = await talk.ask("state")
    assert before["type"] == "state"
    assert (before["data"]["episode_id"], before["data"]["step_count"]) == (None, 0)
    await talk.told("reset", {"seed": 7, "episode_id": "E7"})
    for n in range(3):
        assert (await talk.state())["step_count"] == n
        await talk.step("east")
    assert (await talk.state())["episode_id"] == "E7"
    await talk.told("reset", {"seed": 7})
    again = await talk.state()
    assert again["episode_id"] not in (None, "E7") and again["step_count"] == 0


async def test_a_drawn_seed_is_told_and_gives_the_same_episode_again(talk: Talk) -> None:
    first = await talk.told("reset")
    seed = first["metadata"]["seed"]
    assert first == await talk.told("reset", {"seed": seed})
    assert seed != (await talk.told("reset", {"seed": None}))["metadata"]["seed"]


@pytest.mark.parametrize("seed", [True, -1, 1.0, 1.5, "7", 2**63, [7], {"x": 7}])
async def test_a_seed_that_cannot_be_honoured_is_refused(talk: Talk, seed: object) -> None:
    frame = json.dumps({"type": "reset", "data": {"seed": seed}})
    answer = await talk.raw(frame)
    # Integers beyond 64 bits are no JSON that every reader takes the same way.
    code = "INVALID_JSON" if seed == 2**63 else "VALIDATION_ERROR"
    assert answer["data"]["code"] == code
    assert (await talk.state())["episode_id"] is None


async def test_episode_options_are_passed_on_and_unknown_keywords_are_named(talk: Talk) -> None:
    told = await talk.told("reset", {"seed": 7, "task": "lamp", "difficulty": 3})
    assert told["metadata"]["ignored"] == ["difficulty"]
    wrong = await talk.error("reset", {"seed": 7, "options": {"task": "sofa"}})
    assert (wrong["code"], wrong["errors"][0]["msg"]) == ("VALIDATION_ERROR", "no task 'sofa'")
    late = await talk.error("reset", {"seed": 7, "length": 3})
    assert late["code"] == "VALIDATION_ERROR" and late["errors"][0]["loc"] == ["length"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (True, "true"),
        (None, "null"),
        ([1], "[1]"),
        (1.5, "1.5"),
        (["\u00e9"], '["\u00e9"]'),
    ],
)
async def test_what_a_client_read_as_json_is_text_again(
    house: House, talk: Talk, value: object, text: str
) -> None:
    await talk.told("reset", {"seed": 7})
    told = await talk.step(value)
    async with house.talk() as other:
        await other.told("reset", {"seed": 7})
        assert told == await other.step(text)


@pytest.mark.parametrize(
    ("data", "loc", "kind"),
    [
        ({}, ["command"], "missing"),
        ({"command": {"text": "east"}}, ["command"], "string_type"),
        ({"command": "east", "speed": 3}, ["speed"], "extra_forbidden"),
        ({"command": "east", "metadata": 3}, ["metadata"], "dict_type"),
        ([], ["data"], "dict_type"),
    ],
)
async def test_an_action_that_does_not_validate_is_told_field_by_field(
    talk: Talk, data: object, loc: list[str], kind: str
) -> None:
    await talk.told("reset", {"seed": 7})
    error = await talk.error("step", data)
    assert error["code"] == "VALIDATION_ERROR"
    assert (error["errors"][0]["loc"], error["errors"][0]["type"]) == (loc, kind)
    assert set(error["errors"][0]) == {"type", "loc", "msg", "input"}
    assert (await talk.state())["step_count"] == 0


async def test_metadata_of_an_action_has_no_effect(talk: Talk) -> None:
    env = Corridor()
    env.start(7)
    await talk.told("reset", {"seed": 7})
    told = await talk.told("step", {"command": "east", "metadata": {"why": "light"}})
    assert told == as_data(env.answer("east"))


@pytest.mark.parametrize(
    "frame",
    ["", "{", "east", '{"type":NaN}', '{"type":"\\ud800"}', '{"a":1,"a":2}', "[" * 40, b"\x00\x01"],
)
async def test_a_frame_that_is_no_json_leaves_the_socket_open(
    talk: Talk, frame: str | bytes
) -> None:
    answer = await talk.raw(frame)
    assert (answer["type"], answer["data"]["code"]) == ("error", "INVALID_JSON")
    assert (await talk.state())["step_count"] == 0


@pytest.mark.parametrize("frame", ["[]", "3", "null", '"reset"', "[{}]"])
async def test_json_that_is_no_object_leaves_the_socket_open(talk: Talk, frame: str) -> None:
    answer = await talk.raw(frame)
    assert answer["data"]["code"] == "VALIDATION_ERROR"
    assert answer["data"]["errors"][0]["type"] == "dict_type"
    assert (await talk.state())["step_count"] == 0


@pytest.mark.parametrize("frame", ["{}", '{"type":"restart"}', '{"type":3}', '{"type":null}'])
async def test_an_unknown_type_leaves_the_socket_open(talk: Talk, frame: str) -> None:
    assert (await talk.raw(frame))["data"]["code"] == "UNKNOWN_TYPE"
    assert (await talk.state())["step_count"] == 0


@pytest.mark.parametrize("kind", ["reset", "step", "state", "close", "mcp"])
async def test_a_message_with_a_field_too_many_is_refused(talk: Talk, kind: str) -> None:
    answer = await talk.raw(json.dumps({"type": kind, "data": {}, "id": 7}))
    assert answer["data"]["code"] == "VALIDATION_ERROR"
    assert ["id"] in [problem["loc"] for problem in answer["data"]["errors"]]


async def test_what_an_environment_raises_leaves_the_socket_open(house: House) -> None:
    async with house.talk("/openenv/Trapdoor-v0/ws") as talk:
        assert (await talk.error("step", {"command": "east"}))["code"] == "EXECUTION_ERROR"
        unlucky = await talk.error("reset", {"seed": 13})
        assert unlucky["code"] == "EXECUTION_ERROR" and "unlucky" in unlucky["message"]
        for action in ("crash", "nan", "surrogate", "exit", "rich"):
            await talk.told("reset", {"seed": 1})
            error = await talk.error("step", {"command": action})
            assert error["code"] == "EXECUTION_ERROR", action
        await talk.told("reset", {"seed": 1})
        assert (await talk.step("walk"))["observation"]["text"] == "creak"


async def test_a_step_after_the_end_is_an_error_until_the_next_reset() -> None:
    corridor = replace(SPEC.envs[0], options={"max_steps": 2})
    async with open_house(replace(SPEC, envs=(corridor,))) as house, house.talk() as talk:
        await talk.told("reset", {"seed": 7})
        assert not (await talk.step("east"))["done"]
        last = await talk.step("east")
        assert last["done"] and last["metadata"]["truncated"]
        error = await talk.error("step", {"command": "east"})
        assert error["code"] == "EXECUTION_ERROR" and "over" in error["message"]
        assert (await talk.state())["step_count"] == 2
        await talk.told("reset", {"seed": 7})
        assert (await talk.state())["step_count"] == 0


async def test_an_action_that_is_too_long_is_refused() -> None:
    async with open_house(action_bytes=8) as house, house.talk() as talk:
        await talk.told("reset", {"seed": 7})
        error = await talk.error("step", {"command": "x" * 9})
        assert error["code"] == "VALIDATION_ERROR" and "8 bytes" in error["message"]
        await talk.step("x" * 8)


async def test_close_ends_the_session_and_the_socket(house: House, talk: Talk) -> None:
    await talk.told("reset", {"seed": 7})
    await talk.socket.send('{"type":"close"}')
    assert await talk.closed() == 1000
    assert len(house.host.store) == 0


async def test_a_frame_that_is_too_large_closes_its_own_socket_alone() -> None:
    async with open_house(body_bytes=4096) as house, house.talk() as talk:
        await talk.told("reset", {"seed": 7})
        async with house.talk() as other:
            await other.socket.send("x" * 5000)
            assert await other.closed() == 1009
        assert (await talk.state())["step_count"] == 0


async def test_frames_sent_ahead_are_answered_in_order(talk: Talk) -> None:
    env = Corridor()
    frames = [("reset", {"seed": 7}), *[("step", {"command": "east"})] * 5]
    for kind, data in frames:
        await talk.socket.send(json.dumps({"type": kind, "data": data}))
    expected = [env.start(7).observation, *(env.answer("east").observation for _ in range(5))]
    heard = [(await talk.hear())["data"]["observation"]["text"] for _ in frames]
    assert heard == expected


async def test_every_environment_has_a_socket_of_its_own(house: House) -> None:
    for env in ("Corridor-v0", "Hallway-v0", "Dice-v0"):
        async with house.talk(f"/openenv/{env}/ws") as talk:
            await talk.told("reset", {"seed": 7})
            assert (await talk.state())["env"] == env
    async with house.talk("/openenv/Nowhere-v0/ws") as talk:
        error = await talk.hear()
        assert error["data"]["code"] == "SESSION_ERROR"
        assert "Nowhere-v0" in error["data"]["message"]
        assert await talk.closed() == 1000


async def test_json_rpc_is_spoken_over_the_socket_about_its_own_session(talk: Talk) -> None:
    await talk.told("reset", {"seed": 7})
    sid = (await talk.state())["session_id"]

    async def call(method: str, **params: object) -> Tree:
        request = {"jsonrpc": "2.0", "id": 5, "method": method, "params": params}
        return await talk.told("mcp", request)

    assert (await call("openenv/session/create"))["result"] == {"session_id": sid}
    assert (await call("openenv/session/close", session_id=sid))["error"]["code"] == -32600
    (tool,) = (await call("tools/list"))["result"]["tools"]
    result = (await call("tools/call", name=tool["name"], arguments={"command": "east"}))["result"]
    assert result["structuredContent"]["observation"]["text"].startswith("You stand at 1")
    assert (await talk.state())["step_count"] == 1
    assert (await talk.told("mcp", {}))["error"]["code"] == -32600
    assert (await talk.error("mcp", []))["code"] == "VALIDATION_ERROR"


async def test_the_token_and_the_guard_hold_for_the_socket() -> None:
    async with open_house(replace(SPEC, token="sesame")) as house:
        async with house.talk(Authorization="Bearer sesame") as talk:
            await talk.told("reset", {"seed": 7})
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            with pytest.raises(InvalidStatus) as refused:
                async with house.talk(**headers):
                    pass
            assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus):
            async with house.talk(Authorization="Bearer sesame", Origin="http://evil.example"):
                pass
        async with httpx.AsyncClient(base_url=house.url) as http:
            assert (await http.get("/health")).status_code == 200
            assert (await http.get("/schema")).status_code == 401


async def test_sessions_in_worker_processes_play_the_same() -> None:
    env = Corridor()
    spec = replace(SPEC, envs=SPEC.envs[:1], workers=1, imports=("corridor_env",))
    async with open_house(spec) as house, house.talk() as talk:
        assert await talk.told("reset", {"seed": 7}) == as_data(env.start(7), seed=7)
        for action in ["east", "look", "west", "take lamp"]:
            assert await talk.step(action) == as_data(env.answer(action))
        assert (await talk.state())["step_count"] == 4
        error = await talk.error("reset", {"seed": 7, "task": "sofa"})
        assert error["code"] == "VALIDATION_ERROR"


def test_the_program_of_the_documentation_plays(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "openenv.md").read_text(encoding="utf-8")
    (program,) = [block for block in text.split("```python\n")[1:] if "LocalServer" in block]
    (tmp_path / "play.py").write_text(program.partition("```")[0], encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "play.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (ran.stdout, ran.stderr) == ("3\n", "")

"""The published document holds OpenEnv's routes as they are, and nonsense is answered within it."""

import json
from dataclasses import replace

import httpx
from corridor_env import Corridor
from http_door import SPEC, Door, Tree, open_door
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_fit import misfits
from openenv_door import Talk, open_house

from gigym.servers import HostedEnv
from gigym.servers.openenv.forms import ErrorCode

WITH_TASKS = replace(SPEC, envs=(*SPEC.envs, HostedEnv(id="Negotiation-v0")))
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(codec=None), max_size=8),
    st.sampled_from(["reset", "step", "state", "mcp", "east", "2.0", "tools/call", "act", "ping"]),
)
_EPISODE = [
    "type",
    "data",
    "command",
    "metadata",
    "seed",
    "episode_id",
    "options",
    "task",
    "action",
]
_OTHER = ["jsonrpc", "method", "params", "id", "name", "arguments", "session_id", "split", "index"]
NAMES = st.sampled_from([*_EPISODE, *_OTHER])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=10,
)
RPC = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": st.sampled_from(["tools/call", "tools/list", "ping"])},
    optional={"params": TREES, "id": LEAVES},
)
FRAMES = TREES | st.fixed_dictionaries(
    {"type": st.sampled_from(["reset", "step", "state", "mcp"])}, optional={"data": TREES | RPC}
)
PATHS = ("/reset", "/step", "/mcp", "/Negotiation-v0/task", "/Negotiation-v0/task_range")


def examples(strategy: st.SearchStrategy[object], count: int) -> list[bytes]:
    """Values as JSON texts, the same ones each time."""
    made: list[bytes] = []

    @settings(max_examples=count, deadline=None, derandomize=True, database=None)
    @given(value=strategy)
    def collect(value: object) -> None:
        made.append(json.dumps(value).encode())

    collect()
    return made


def template(path: str) -> str:
    """The path as the document writes it."""
    for env in ("Corridor-v0", "Negotiation-v0", "Nowhere-v0"):
        path = path.replace(f"/openenv/{env}", "/openenv/{env_id}").replace(
            f"/{env}", "/{env_name}"
        )
    return path


def undocumented(answer: httpx.Response, published: Tree) -> list[str]:
    """Where an answer differs from what the document says of it."""
    request = answer.request
    operation = published["paths"][template(request.url.path)][request.method.lower()]
    responses = operation["responses"]
    status = str(answer.status_code)
    told = responses.get(status, responses.get(f"{status[0]}XX"))
    if told is None:
        return [f"status {status}"]
    return misfits(answer.json(), told["content"]["application/json"]["schema"], published)


async def conversation(door: Door, base: str) -> list[httpx.Response]:
    gets = ["/health", "/metadata", "/schema", "/state", "/list_environments"]
    answers = [await door.http.get(base + path) for path in gets]
    for body in ({}, {"seed": 7, "mood": 1}, {"seed": -1}, {"task": "sofa"}):
        answers.append(await door.post(base + "/reset", body))
    for body in ({"action": {"command": "east"}}, {"action": {}}, {}):
        answers.append(await door.post(base + "/step", body))
    for body in ({}, {"jsonrpc": "2.0", "id": "x", "method": "ping"}):
        answers.append(await door.post(base + "/mcp", body))
    env = "Nowhere-v0" if not base else "Corridor-v0"
    for name in (env, "Negotiation-v0"):
        answers.append(await door.http.get(f"{base}/{name}/splits"))
        for route in ("tasks", "num_tasks", "task_range", "task"):
            body = {"split": "dev", **({"index": 1} if route == "task" else {})}
            answers.append(await door.post(f"{base}/{name}/{route}", body))
    answers.append(await door.post(f"{base}/Negotiation-v0/task", {"split": 7}))
    return answers


async def test_every_answer_is_documented_to_the_field() -> None:
    async with open_door(WITH_TASKS) as door:
        published: Tree = (await door.http.get("/openapi.json")).json()
        seen: set[str] = set()
        for base in ("", "/openenv/Negotiation-v0", "/openenv/Nowhere-v0"):
            for answer in await conversation(door, base):
                seen.add(template(answer.request.url.path))
                assert undocumented(answer, published) == [], (answer.url, answer.text)
        paths = published["paths"].items()
        assert seen == {
            path
            for path, methods in paths
            if any("OpenEnv" in method.get("tags", ()) for method in methods.values())
        }
        assert len(door.host.store) == 0


async def test_a_token_is_published_where_one_is_needed() -> None:
    async with open_door(replace(SPEC, token="sesame")) as door:
        published: Tree = (await door.http.get("/openapi.json")).json()
        bare = {
            path
            for path, methods in published["paths"].items()
            for method in methods.values()
            if "OpenEnv" in method.get("tags", ()) and "security" not in method
        }
        assert bare == {"/health"}
        own: Tree = (await door.http.get("/openenv/Dice-v0/openapi.json")).json()
        assert all("security" in found for way in own["paths"].values() for found in way.values())


async def test_no_body_breaks_a_route() -> None:
    async with open_door(WITH_TASKS, sessions=64) as door:
        published: Tree = (await door.http.get("/openapi.json")).json()
        for number, body in enumerate(examples(FRAMES | RPC, 250)):
            path = PATHS[number % len(PATHS)]
            answer = await door.http.post(
                path, content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code < 500, (path, body, answer.text)
            if answer.status_code != 400:
                assert undocumented(answer, published) == [], (path, body, answer.text)
            assert "internal error" not in answer.text, (path, body)
        assert len(door.host.store) == 0


async def test_no_frame_breaks_a_socket() -> None:
    async with open_house() as house, house.talk() as talk, house.talk() as bystander:
        opening = await bystander.told("reset", {"seed": 7})
        for frame in examples(FRAMES, 400):
            answer = await talk.raw(frame.decode())
            assert answer["type"] in {"observation", "state", "mcp", "error"}, (frame, answer)
            if answer["type"] == "error":
                assert answer["data"]["code"] in set(ErrorCode), (frame, answer)
                assert answer["data"]["code"] != "SESSION_ERROR", (frame, answer)
            assert "internal error" not in json.dumps(answer), (frame, answer)
        await plays_as_in_process(bystander, opening)
        assert len(house.host.store) == 2


async def plays_as_in_process(talk: Talk, opening: Tree) -> None:
    env = Corridor()
    assert opening["observation"]["text"] == env.start(7).observation
    for action in ("east", "west", "look"):
        expected = env.answer(action)
        told = await talk.step(action)
        assert told["metadata"]["state_key"] == expected.state_key

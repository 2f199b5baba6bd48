"""JSON-RPC over POST /mcp: status 200 always, every error code, sessions, the tool of an agent."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from corridor_env import Corridor
from fuse_env import Fuse
from http_door import SPEC, Door, Tree, open_door

from gigym.servers import HostedEnv

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door


async def raw(door: Door, body: bytes, path: str = "/mcp") -> Tree:
    answer = await door.http.post(path, content=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    tree: Tree = answer.json()
    assert tree["jsonrpc"] == "2.0" and ("result" in tree) != ("error" in tree)
    if "error" in tree:
        assert set(tree["error"]) == {"code", "message", "data"}
    return tree


async def ask(door: Door, method: str, path: str = "/mcp", **params: object) -> Tree:
    request = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    answer = await door.post(path, request)
    assert answer.status_code == 200 and answer.json()["id"] == 7
    return answer.json()


async def told(door: Door, method: str, path: str = "/mcp", **params: object) -> Tree:
    answer = await ask(door, method, path, **params)
    assert "result" in answer, answer
    return answer["result"]


async def code(door: Door, method: str, path: str = "/mcp", **params: object) -> int:
    return (await ask(door, method, path, **params))["error"]["code"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', -32700),
        (b'{"a":1,"a":2}', -32700),
        (b"[" * 20_000, -32700),
        (b"{}", -32600),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b"3", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":3}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","more":1}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"reset"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}', -32602),
    ],
)
async def test_requests_that_are_wrong_are_answered(door: Door, body: bytes, expected: int) -> None:
    answer = await raw(door, body)
    assert answer["error"]["code"] == expected
    knows_id = expected in (-32601, -32602) or (
        expected == -32600 and body[:12] == b'{"jsonrpc":"' and b'"id":1' in body
    )
    assert answer["id"] == (1 if knows_id else None)


async def test_ids_come_back_as_they_were(door: Door) -> None:
    for given in ('"seven"', "7", "null", "0", '""'):
        request = f'{{"jsonrpc":"2.0","id":{given},"method":"ping"}}'
        answer = await raw(door, request.encode())
        assert answer == {"jsonrpc": "2.0", "id": json.loads(given), "result": {}}


async def test_a_client_of_mcp_introduces_itself(door: Door) -> None:
    hello = await told(door, "initialize", protocolVersion="2025-03-26", capabilities={})
    assert hello["protocolVersion"] == "2025-03-26" and hello["capabilities"] == {"tools": {}}
    assert (await told(door, "initialize", protocolVersion="1999"))["protocolVersion"] > "2025"
    assert await told(door, "notifications/initialized") == {}


async def test_an_agent_plays_by_its_one_tool(door: Door) -> None:
    env = Corridor()
    env.start(7)
    made = await told(door, "openenv/session/create", seed=7)
    sid = made["session_id"]
    assert made["observation"]["text"] == "It is dark."
    (tool,) = (await told(door, "tools/list", session_id=sid))["tools"]
    assert set(tool) == {"name", "description", "inputSchema"}
    assert tool["inputSchema"]["required"] == ["command"]
    for action in ("east", "look"):
        result = await told(
            door, "tools/call", session_id=sid, name=tool["name"], arguments={"command": action}
        )
        text = env.answer(action).observation
        assert result["content"] == [{"type": "text", "text": text}] and not result["isError"]
        assert result["structuredContent"]["observation"]["text"] == text
    assert await told(door, "openenv/session/close", session_id=sid) == {
        "session_id": sid,
        "closed": True,
    }
    assert len(door.host.store) == 0


async def test_what_an_agent_can_mend_is_a_result_that_says_so(door: Door) -> None:
    made = await told(door, "openenv/session/create")
    call = {"session_id": made["session_id"], "name": "act"}
    early = await told(door, "tools/call", arguments={"command": "east"}, **call)
    assert early["isError"] and "reset" in early["content"][0]["text"]
    long = await told(door, "tools/call", arguments={"command": "x" * 70_000}, **call)
    assert long["isError"]


async def test_params_that_are_wrong_are_told(door: Door) -> None:
    sid = (await told(door, "openenv/session/create"))["session_id"]
    wrong: list[tuple[str, Tree]] = [
        ("tools/call", {"session_id": sid}),
        ("tools/call", {"session_id": sid, "name": "look"}),
        ("tools/call", {"session_id": sid, "name": 3}),
        ("tools/call", {"session_id": sid, "name": "act"}),
        ("tools/call", {"session_id": sid, "name": "act", "arguments": []}),
        ("tools/call", {"session_id": sid, "name": "act", "arguments": {"x": 1}}),
        ("tools/call", {"name": "act", "arguments": {"command": "east"}}),
        ("tools/call", {"session_id": "s-no", "name": "act", "arguments": {"command": "e"}}),
        ("tools/call", {"session_id": 3, "name": "act", "arguments": {"command": "e"}}),
        ("tools/list", {"session_id": "s-no"}),
        ("openenv/session/close", {}),
        ("openenv/session/close", {"session_id": "s-no"}),
        ("openenv/session/close", {"session_id": ["s"]}),
        ("openenv/session/create", {"seed": -1}),
        ("openenv/session/create", {"task": "sofa"}),
    ]
    for method, params in wrong:
        assert await code(door, method, **params) == -32602, (method, params)
    assert len(door.host.store) == 1


async def test_a_full_server_and_a_broken_environment_are_server_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    envs = (*SPEC.envs, HostedEnv(id="Fuse-v0"))
    async with open_door(replace(SPEC, envs=envs), sessions=1, queued_per_session=0) as door:
        monkeypatch.setattr(Fuse, "blown", True)
        broken = await ask(door, "openenv/session/create", path="/openenv/Fuse-v0/mcp")
        assert broken["error"]["code"] == -32000
        assert broken["error"]["data"] == {"factory_name": "Fuse-v0"}
        await told(door, "openenv/session/create")
        full = (await ask(door, "openenv/session/create"))["error"]
        assert full["code"] == -32000
        assert full["data"] == {"active_sessions": 1, "max_sessions": 1}


async def test_what_an_environment_raises_is_an_internal_error(door: Door) -> None:
    path = "/openenv/Trapdoor-v0/mcp"
    sid = (await told(door, "openenv/session/create", path, seed=1))["session_id"]
    call: Tree = {"session_id": sid, "name": "act", "arguments": {"command": "crash"}}
    answer = (await ask(door, "tools/call", path, **call))["error"]
    assert answer["code"] == -32603 and "the floor gives way" in answer["message"]
    assert await code(door, "openenv/session/create", path, seed=13) == -32603
    assert len(door.host.store) == 1

"""Whatever is posted, the answer is in the protocol's own words and the server plays on."""

import json

import httpx
import pytest
from http_door import Door, Tree, open_door
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.envs.wire import Code

PATHS = ("reset", "step", "restore", "snapshot", "fork", "renew", "close", "sessions")
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(codec=None), max_size=8),
    st.sampled_from(["Corridor-v0", "Dice-v0", "data", "recipe", "east", "plan", ""]),
)
_ITEM = ["sid", "ep", "n", "seed", "action", "options", "recipe", "snapshot", "count", "lease_s"]
_INNER = ["keys", "actions", "kind", "blob", "env", "version", "wait_s", "items"]
NAMES = st.sampled_from([*_ITEM, *_INNER])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)


def items_about(sid: str) -> st.SearchStrategy[Tree]:
    """Items that are nearly right."""
    item = st.fixed_dictionaries(
        {},
        optional={
            "sid": st.just(sid) | LEAVES,
            "ep": st.integers(-1, 3) | LEAVES,
            "n": st.integers(-1, 3) | LEAVES,
            "seed": st.integers(0, 5) | LEAVES,
            "action": st.sampled_from(["east", "west"]) | LEAVES,
            "options": st.just({}) | TREES,
            "recipe": st.fixed_dictionaries({"seed": st.integers(0, 5)}) | TREES,
            "snapshot": TREES,
            "count": st.integers(0, 3) | LEAVES,
            "lease_s": st.floats() | LEAVES,
        },
    )
    return st.fixed_dictionaries({"items": st.lists(item, max_size=4)})


def codes_in(answer: httpx.Response) -> set[str]:
    tree: Tree = answer.json()
    results: list[Tree] = tree.get("results", [tree])
    return {result["error"]["code"] for result in results if "error" in result}


@pytest.mark.parametrize("nearly", [True, False])
async def test_no_body_breaks_the_server(nearly: bool) -> None:
    async with open_door(sessions=64) as door:
        sid, bystander = await door.begun(), await door.begun()
        bodies = items_about(sid) if nearly else TREES
        before = (await door.http.get(f"/v1/sessions/{bystander}")).json()

        @settings(max_examples=250, deadline=None, derandomize=True, database=None)
        @given(path=st.sampled_from(PATHS), body=bodies)
        def collect(path: str, body: object) -> None:
            posted.append((path, json.dumps(body).encode("utf-8")))

        posted: list[tuple[str, bytes]] = []
        collect()
        for path, body in posted:
            await check(door, path, body)
        after = (await door.http.get(f"/v1/sessions/{bystander}")).json()
        assert after["last"] == before["last"]


async def check(door: Door, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await door.http.post(f"/v1/{path}", content=body, headers=headers)
    assert answer.status_code < 500, (path, body, answer.text)
    assert codes_in(answer) <= set(Code), (path, body, answer.text)
    assert "INTERNAL" not in codes_in(answer), (path, body, answer.text)

"""Generated frames, nearly right and quite wrong, get answers of the protocol and harm nobody."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from nasty_frames import CALLED
from raw_http import get, post
from websockets.sync.client import connect

from gigym.envs.wire import SOCKET_PATH, Code
from gigym.servers import HostedEnv, LocalServer, ServerSpec

SPEC = ServerSpec(envs=(HostedEnv(id="Corridor-v0"),), port=0, imports=("corridor_env",))
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(st.characters(codec=None), max_size=8),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
ITEMS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "sid": st.just("SID") | LEAVES,
            "ep": st.integers(-1, 3) | LEAVES,
            "n": st.integers(-1, 3) | LEAVES,
            "seed": st.integers(0, 5) | LEAVES,
            "action": st.sampled_from(["east", "west"]) | LEAVES,
            "options": st.just({}) | TREES,
            "recipe": st.fixed_dictionaries({"seed": st.integers(0, 5)}) | TREES,
            "snapshot": TREES,
            "lease_s": st.floats() | LEAVES,
        },
    )
    | TREES,
    max_size=3,
)
FRAMES = TREES | st.fixed_dictionaries(
    {"id": st.integers(0, 9) | LEAVES, "call": st.sampled_from(CALLED[:-1]), "items": ITEMS | TREES}
)
EXAMPLES = 600


def generated() -> list[str]:
    frames: list[str] = []

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(frame=FRAMES)
    def collect(frame: object) -> None:
        frames.append(json.dumps(frame))

    collect()
    return frames


def test_no_frame_breaks_the_socket() -> None:
    frames = generated()
    assert len(frames) >= 500
    with LocalServer(SPEC) as server:
        body = {"env": "Corridor-v0", "count": 2}
        leased = post(server.url, "/v1/sessions", body).tree["sessions"]
        sid, bystander = (held["sid"] for held in leased)
        for name in (sid, bystander):
            post(server.url, "/v1/reset", {"items": [{"sid": name, "ep": 0, "seed": 1}]})
        before = get(server.url, f"/v1/sessions/{bystander}").tree["last"]
        url = server.url.replace("http", "ws") + SOCKET_PATH
        with connect(url, compression=None, proxy=None) as line:
            for frame in frames:
                line.send(frame.replace("SID", sid))
                answer = json.loads(line.recv(timeout=20))
                codes = {
                    result["error"]["code"]
                    for result in answer.get("results", [answer])
                    if "error" in result
                }
                assert codes <= set(Code) - {Code.INTERNAL}, (frame, answer)
        assert get(server.url, f"/v1/sessions/{bystander}").tree["last"] == before
        assert get(server.url, "/healthz").status == 200 and server.restarts == 0

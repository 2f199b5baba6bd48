"""OpenEnv's validator and clients on our server: all checks green, our episodes to the letter."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from theirs import Theirs

import gigym
from gigym.envs import Reply
from gigym.servers import HostedEnv, LocalServer, ServerSpec

SEEDS = (1, 2, 3, 4)
WAYS = ("async", "sync", "sessions")
TOKEN = "a-token-for-the-interop-tests"
ENVS = (HostedEnv(id="ALFWorld-v0"), HostedEnv(id="TwentyQuestions-v0"))
CHECKS = (
    "openapi_version_available",
    "health_endpoint",
    "metadata_endpoint",
    "schema_endpoint",
    "mcp_endpoint",
    "mode_endpoint_consistency",
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LocalServer(ServerSpec(envs=ENVS, port=0)) as server:
        yield server.url


@pytest.fixture(scope="module")
def guarded_url() -> Iterator[str]:
    with LocalServer(ServerSpec(envs=ENVS, port=0, token=TOKEN)) as server:
        yield server.url


def in_process(env_id: str, seed: int) -> tuple[list[str], list[Reply]]:
    """The expert's actions, and every reply to them."""
    env = gigym.make(env_id)
    expert, replies, actions = env.expert(), [env.start(seed)], []
    while not replies[-1].done:
        actions.append(expert.act(replies[-1]))
        replies.append(env.answer(actions[-1]))
    return actions, replies


def as_told(reply: Reply, first: bool) -> dict[str, Any]:
    """What OpenEnv's client is to say of a reply of ours."""
    listed = reply.admissible_actions
    return {
        "text": reply.observation,
        "admissible_actions": None if listed is None else list(listed),
        "state_key": reply.state_key,
        "truncated": reply.truncated,
        "reward": None if first else reply.reward,
        "done": reply.done,
    }


def as_heard(result: dict[str, Any]) -> dict[str, Any]:
    observation = result["observation"]
    return {
        "text": observation["text"],
        "admissible_actions": observation["admissible_actions"],
        "state_key": observation["metadata"]["state_key"],
        "truncated": observation["metadata"]["truncated"],
        "reward": result["reward"],
        "done": result["done"],
    }


@pytest.fixture(scope="module")
def known() -> dict[int, tuple[list[str], list[Reply]]]:
    return {seed: in_process("ALFWorld-v0", seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def heard(
    openenv: Theirs,
    url: str,
    guarded_url: str,
    known: dict[int, tuple[list[str], list[Reply]]],
) -> dict[str, Any]:
    """What their client saw of every play below; one process of theirs plays them all."""
    whole = [
        {
            "reset": {"seed": seed, "episode_id": f"E{seed}"},
            "actions": [{"command": action} for action in known[seed][0]],
        }
        for seed in SEEDS
    ]
    actions, _ = in_process("TwentyQuestions-v0", 1)
    odd = [{"command": 3}, {"command": None}, {"command": "look", "more": 1}, {"command": "look"}]
    plays: dict[str, dict[str, Any]] = {
        **{way: {"url": url, "way": way, "episodes": whole} for way in WAYS},
        "second": {
            "url": f"{url}/openenv/TwentyQuestions-v0",
            "way": "async",
            "episodes": [{"reset": {"seed": 1}, "actions": [{"command": a} for a in actions]}],
        },
        "task": {
            "url": url,
            "way": "async",
            "episodes": [{"reset": {"split": "test", "index": 3}, "actions": []}],
        },
        "odd": {"url": url, "way": "async", "episodes": [{"reset": {"seed": 1}, "actions": odd}]},
        "token": {
            "url": guarded_url,
            "way": "async",
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "episodes": whole[:1],
        },
    }
    return dict(zip(plays, openenv.ask("openenv_plays.py", list(plays.values())), strict=True))


@pytest.mark.parametrize("way", [*WAYS, "token"])
def test_their_client_plays_whole_episodes_as_we_do_in_process(
    way: str, heard: dict[str, Any], known: dict[int, tuple[list[str], list[Reply]]]
) -> None:
    for seed, played in zip(SEEDS, heard[way], strict=False):
        actions, replies = known[seed]
        told = [as_told(reply, first=index == 0) for index, reply in enumerate(replies)]
        assert [as_heard(result) for result in played["replies"]] == told
        assert played["state"]["episode_id"] == f"E{seed}"
        assert played["state"]["step_count"] == len(actions)
        assert replies[-1].reward == 10.0


def test_the_second_environment_of_a_server_has_an_address_of_its_own(
    heard: dict[str, Any],
) -> None:
    _, replies = in_process("TwentyQuestions-v0", 1)
    (played,) = heard["second"]
    assert [as_heard(result)["text"] for result in played["replies"]] == [
        reply.observation for reply in replies
    ]


def test_a_split_and_an_index_pick_a_task(heard: dict[str, Any]) -> None:
    env = gigym.make("ALFWorld-v0")
    task = env.tasks("test")[3]
    (played,) = heard["task"]
    (opening,) = played["replies"]
    assert as_heard(opening)["text"] == env.start(task.seed, task.options).observation


def test_commands_read_as_json_are_text_again_and_unknown_fields_are_refused(
    heard: dict[str, Any],
) -> None:
    (played,) = heard["odd"]
    _, three, nothing, more, look = played["replies"]
    env = gigym.make("ALFWorld-v0")
    env.start(1)
    assert as_heard(three)["text"] == env.answer("3").observation
    assert as_heard(nothing)["text"] == env.answer("null").observation
    assert more["error"].endswith("(code: VALIDATION_ERROR)")
    assert as_heard(look)["text"] == env.answer("look").observation
    assert played["state"]["step_count"] == 3


@pytest.mark.parametrize("place", ["", "/openenv/TwentyQuestions-v0"])
def test_their_validator_passes_every_check(openenv: Theirs, url: str, place: str) -> None:
    done = openenv.run("-m", "openenv.cli", "validate", "--url", f"{url}{place}", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert {check["id"]: check["passed"] for check in report["criteria"]} == dict.fromkeys(
        CHECKS, True
    )

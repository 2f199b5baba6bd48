"""OpenEnv's messages against our records, without a server."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigym.envs.wire import Code, JsonObject
from gigym.envs.wire_answers import ReplyBody
from gigym.servers.errors import WireFault
from gigym.servers.openenv.forms import Action, ErrorCode, ResetBody
from gigym.servers.openenv.translate import (
    Opening,
    Unreadable,
    code_of,
    frame,
    opening_of,
    outcome,
    read,
    refused_at_door,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def reply(**fields: object) -> ReplyBody:
    told = {"observation": "dark", "reward": 0.5, "terminated": False, "truncated": False}
    return ReplyBody.model_validate({**told, **fields})


def opening(tree: JsonObject) -> Opening:
    return opening_of(read(ResetBody, tree), "Corridor-v0", ("length", "max_steps"), 99)


@given(value=JSON)
def test_a_command_is_a_text_or_the_json_text_of_what_came(value: object) -> None:
    if isinstance(value, dict):
        with pytest.raises(Unreadable):
            read(Action, {"command": value})
    elif isinstance(value, str):
        assert read(Action, {"command": value}).command == value
    else:
        assert json.loads(read(Action, {"command": value}).command) == value


@given(tree=JSON)
def test_whatever_comes_is_an_action_or_a_list_of_problems(tree: object) -> None:
    try:
        read(Action, tree)
    except Unreadable as error:
        assert error.problems and str(error)
        told = [found.model_dump() for found in error.problems]
        assert json.loads(json.dumps(told)) == told


def test_a_reset_is_split_into_seed_name_options_and_what_is_ignored() -> None:
    body: JsonObject = {"seed": 3, "episode_id": "E", "task": "lamp", "mood": 1, "speed": None}
    assert opening(body) == Opening(
        seed=3, episode_id="E", options={"task": "lamp"}, ignored=("mood", "speed")
    )
    assert opening({}) == Opening(seed=99)
    assert opening({"seed": None, "options": {"a": 1}, "task": None}).options == {"a": 1}


def test_a_keyword_that_sets_the_environment_up_comes_too_late() -> None:
    with pytest.raises(Unreadable, match="gigym serve Corridor-v0 length="):
        opening({"length": 3})


def test_the_answer_to_a_reset_has_no_reward_and_tells_its_seed() -> None:
    told = outcome(reply(state_key="k"), Opening(seed=3, ignored=("mood",)))
    assert told["reward"] is None and told["done"] is False
    assert told["metadata"] == {
        "truncated": False,
        "state_key": "k",
        "observation_key": None,
        "info": {},
        "seed": 3,
        "ignored": ["mood"],
    }


@pytest.mark.parametrize(
    ("terminated", "truncated"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_done_is_either_end_and_metadata_tell_which(terminated: bool, truncated: bool) -> None:
    told = outcome(reply(terminated=terminated, truncated=truncated))
    assert told["done"] is (terminated or truncated)
    assert told["metadata"] == {
        "truncated": truncated,
        "state_key": None,
        "observation_key": None,
        "info": {},
    }
    assert (told["reward"], told["observation"]) == (
        0.5,
        {"text": "dark", "admissible_actions": None, "metadata": told["metadata"]},
    )


def test_every_error_of_a_session_has_a_code_of_a_frame() -> None:
    expected = {
        Code.SESSION_UNKNOWN: ErrorCode.SESSION_ERROR,
        Code.SESSION_EXPIRED: ErrorCode.SESSION_ERROR,
        Code.WORKER_LOST: ErrorCode.SESSION_ERROR,
        Code.BAD_ITEM: ErrorCode.VALIDATION_ERROR,
        Code.BAD_REQUEST: ErrorCode.VALIDATION_ERROR,
        Code.TOO_LARGE: ErrorCode.VALIDATION_ERROR,
    }
    for code in Code:
        assert code_of(WireFault(code, "x")) is expected.get(code, ErrorCode.EXECUTION_ERROR)


def test_a_door_is_full_or_the_factory_failed() -> None:
    full = [code for code in Code if refused_at_door(WireFault(code, "x")) == "CAPACITY_REACHED"]
    assert full == [Code.BUSY, Code.DRAINING]


def test_frames_are_ascii_whatever_an_environment_raised() -> None:
    text = frame("error", {"message": "\ud800 \u00e9"})
    assert text.isascii() and json.loads(text)["data"]["message"] == "\ud800 \u00e9"

"""Where the texts are in JSON that is not ours."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.envs import ServerError
from gigym.envs.connect import Shape
from gigym.envs.connect.shapes import LIST_FIELDS, TEXT_FIELDS, read_reply, sound, text_of
from gigym.envs.types import digest

URL = "http://x"
TREES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda parts: (
        st.lists(parts) | st.dictionaries(st.sampled_from(TEXT_FIELDS) | st.text(), parts)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("name", TEXT_FIELDS)
def test_the_first_field_that_holds_a_text_is_the_text(name: str) -> None:
    later = dict.fromkeys(TEXT_FIELDS[TEXT_FIELDS.index(name) + 1 :], "no")
    earlier = dict.fromkeys(TEXT_FIELDS[: TEXT_FIELDS.index(name)])
    assert text_of({**later, name: "yes", **earlier}, Shape()) == "yes"


def test_what_has_no_such_field_is_told_whole_but_for_its_metadata() -> None:
    board = {"board": [1, 2], "turn": "\u00e9", "metadata": {"x": 1}}
    assert text_of(board, Shape()) == '{"board":[1,2],"turn":"\u00e9"}'
    assert text_of(board, Shape(text_field="turn")) == "\u00e9"
    assert text_of(board, Shape(text_field="board")) == "[1,2]"


@pytest.mark.parametrize("name", LIST_FIELDS)
def test_lists_of_texts_are_the_choices(name: str) -> None:
    told: dict[str, Any] = {"reward": None, "done": False}
    reply = read_reply({"observation": {name: ["a", "b", "a"]}, **told}, Shape(), URL)
    assert reply.admissible_actions == ("a", "b")
    for other in ([1, 2], "ab", None):
        reply = read_reply({"observation": {name: other}, **told}, Shape(), URL)
        assert reply.admissible_actions is None


def test_keys_and_facts_of_our_own_face_are_taken_and_others_are_facts() -> None:
    metadata: dict[str, Any] = {"state_key": "k", "truncated": True, "info": {"won": False}}
    told = {"observation": {"text": "x"}, "reward": 1, "done": True, "metadata": metadata}
    foreign = read_reply(told, Shape(), URL)
    assert foreign.state_key is None and foreign.info == metadata and foreign.truncated
    metadata["observation_key"] = digest("x")
    ours = read_reply(told, Shape(), URL)
    assert (ours.state_key, ours.info, ours.terminated) == ("k", {"won": False}, False)


def test_long_texts_are_cut_with_a_marker_and_long_facts_left_out() -> None:
    assert sound("x" * 300_000).endswith("x [... 37856 characters cut]")
    told = {"observation": {"text": "x"}, "metadata": {"long": "x" * 20_000, "short": 1}}
    assert read_reply(told, Shape(), URL).info == {"short": 1}


@settings(max_examples=200, deadline=None)
@given(TREES, TREES, TREES, TREES)
def test_whatever_comes_is_a_sound_reply_or_refused(
    observation: Any,  # noqa: ANN401
    reward: Any,  # noqa: ANN401
    done: Any,  # noqa: ANN401
    metadata: Any,  # noqa: ANN401
) -> None:
    told = {"observation": observation, "reward": reward, "done": done, "metadata": metadata}
    try:
        reply = read_reply(told, Shape(), URL)
    except ServerError as error:
        assert error.code == "PROTOCOL"
        return
    reply.observation.encode()
    assert json.dumps(reply.reward, allow_nan=False)
    assert len(json.dumps(dict(reply.info), ensure_ascii=False, allow_nan=False).encode()) <= 17_000

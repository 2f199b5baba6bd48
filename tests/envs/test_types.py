"""Records of the room: keys that mean the same in any process, text spaces, options as text."""

import hashlib
import pickle

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigym import GigymError
from gigym.envs import BadOption, Reply, Task, errors
from gigym.envs.options import parse_assignment, parse_options
from gigym.envs.spaces import UnicodeText
from gigym.envs.types import digest


def test_a_digest_is_the_hash_of_compact_ascii_json() -> None:
    text = b'["\\u00e9",null,{"b":1}]'
    expected = hashlib.blake2b(text, digest_size=16).hexdigest()
    assert digest(["\u00e9", None, {"b": 1}]) == expected
    with pytest.raises(ValueError, match="Out of range"):
        digest(float("nan"))


def test_tasks_of_equal_content_have_equal_keys() -> None:
    one = Task(env="E-v0", seed=1, options={"a": 1, "b": "x"})
    assert one.key == Task(env="E-v0", seed=1, options={"b": "x", "a": 1}).key
    others = [
        Task(env="F-v0", seed=1, options=one.options),
        Task(env="E-v0", seed=2, options=one.options),
        Task(env="E-v0", seed=1, options={"a": 1}),
        Task(env="E-v0", seed=1),
    ]
    assert len({task.key for task in (one, *others)}) == 5


def test_a_reply_is_done_for_either_reason() -> None:
    assert not Reply(observation="").done
    assert (
        Reply(observation="", terminated=True).done and Reply(observation="", truncated=True).done
    )


def test_the_observation_key_sees_the_text_alone() -> None:
    assert (
        Reply(observation="a", reward=1.0).observation_key == Reply(observation="a").observation_key
    )


@given(st.text())
def test_the_text_space_holds_every_encodable_text(text: str) -> None:
    assert text in UnicodeText()


def test_the_text_space_refuses_what_cannot_be_sent() -> None:
    space = UnicodeText(max_length=3)
    assert "abcd" not in space and "\ud800" not in space and 3 not in space
    assert space == UnicodeText(3) != UnicodeText() and not space.is_np_flattenable


def test_samples_of_the_text_space_are_in_it_and_seeded() -> None:
    one, two = UnicodeText(seed=4), UnicodeText(seed=4)
    samples = [one.sample() for _ in range(5)]
    assert samples == [two.sample() for _ in range(5)] and all(s in one for s in samples)
    assert isinstance(one, gymnasium.Space)
    with pytest.raises(ValueError, match="no mask"):
        one.sample(mask=1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=4", 4),
        ("a=1e-6", 1e-6),
        ("a=true", True),
        ('a=["x","y"]', ["x", "y"]),
        ("a=ALFWorld-v0", "ALFWorld-v0"),
        ("a=", ""),
        ("a=x=y", "x=y"),
        (" a =1", 1),
        ('a="4"', "4"),
    ],
)
def test_an_assignment_is_read_as_toml_or_else_as_text(text: str, value: object) -> None:
    assert parse_assignment(text) == ("a", value)


@pytest.mark.parametrize("text", ["", "a", "=1", "  =2"])
def test_a_text_without_key_or_sign_is_refused(text: str) -> None:
    with pytest.raises(BadOption, match="expected key=value"):
        parse_assignment(text)


def test_a_key_given_twice_is_refused() -> None:
    assert parse_options(["a=1", "b=x"]) == {"a": 1, "b": "x"}
    with pytest.raises(BadOption, match="'a' is given twice"):
        parse_options(["a=1", "a=2"])


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n != "need"])
def test_errors_are_gigym_errors_with_an_exit_code_and_pickle(name: str) -> None:
    kind = getattr(errors, name)
    error = kind("what went wrong")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert isinstance(again, GigymError) and str(again) == "what went wrong"
    assert 2 <= kind.exit_code <= 70


def test_a_server_error_keeps_its_code_through_a_pickle() -> None:
    again = pickle.loads(pickle.dumps(errors.EpisodeLost("gone", "NO_SESSION", True)))  # noqa: S301
    assert (again.code, again.retryable) == ("NO_SESSION", True)


def test_a_missing_extra_is_told_with_its_install_line() -> None:
    errors.need("json", "train")
    with pytest.raises(errors.MissingExtra, match=r"pip install 'gigym\[vllm\]'"):
        errors.need("no_such_module_here", "vllm")

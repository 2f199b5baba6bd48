"""TextEnv: the contract an author gets for two methods."""

import copy
import json

import pytest
from corridor_env import Corridor, Hallway
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

from gigym.envs import BadOption, EnvCard, EpisodeError, Options, Reply, TextEnv, Unsupported
from gigym.envs.base import read_snapshot


class Echo(TextEnv):
    card = EnvCard(id="Echo-v0", version="1.0.0", summary="says it again", max_steps=3)

    def begin(self, seed: int, options: Options) -> Reply:
        return Reply(observation=f"say something {seed}")

    def act(self, action: str) -> Reply:
        return Reply(observation=action, terminated=action == "stop")


def test_two_methods_make_an_environment_that_gymnasium_accepts() -> None:
    check_env(Echo(), skip_render_check=True)
    check_env(Corridor(), skip_render_check=True)


def test_what_the_reply_leaves_out_the_info_leaves_out() -> None:
    _, info = Echo().reset(seed=1)
    assert set(info) == {"observation_key"}
    _, info = Corridor().reset(seed=1)
    assert set(info) >= {"observation_key", "state_key", "admissible_actions", "won"}
    assert info["admissible_actions"] == ["east", "take lamp", "west"]


def test_a_seed_fixes_the_seeds_that_later_resets_draw() -> None:
    texts: list[list[str]] = []
    for _ in range(2):
        env = Echo()
        texts.append([env.reset(seed=7)[0], env.reset()[0], env.reset()[0]])
    assert texts[0] == texts[1] and len(set(texts[0])) == 3


def test_the_turn_limit_truncates_at_the_card_or_at_the_option() -> None:
    for env, limit in ((Echo(), 3), (Echo(max_steps=1), 1)):
        env.start(0)
        replies = [env.answer("a") for _ in range(limit)]
        assert [reply.truncated for reply in replies] == [False] * (limit - 1) + [True]
        with pytest.raises(EpisodeError, match="over; call reset first"):
            env.answer("a")


def test_an_end_on_the_last_turn_is_no_truncation() -> None:
    env = Echo(max_steps=1)
    env.start(0)
    reply = env.answer("stop")
    assert reply.terminated and not reply.truncated


def test_a_start_after_the_end_counts_anew() -> None:
    env = Echo(max_steps=1)
    for _ in range(2):
        env.start(0)
        assert env.answer("a").truncated


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(BadOption, match="at least 1, got 0"):
        Echo(max_steps=0)


def test_what_an_author_did_not_write_is_unsupported() -> None:
    env = Echo()
    env.start(0)
    for call in (env.snapshot, env.fork, env.expert, lambda: TextEnv.begin(env, 0, {})):
        with pytest.raises(Unsupported):
            call()
    assert env.vocabulary() == ()


@given(
    st.integers(0, 1000), st.lists(st.sampled_from(["east", "west", "take lamp", "\u00e9\ud7ff"]))
)
def test_a_restored_episode_has_the_same_future(seed: int, actions: list[str]) -> None:
    env, twin = Corridor(), Corridor()
    last = env.start(seed)
    for action in actions:
        if not last.done:
            last = env.answer(action)
    assert twin.restore(env.snapshot()) == last
    assert twin.snapshot() == env.snapshot()
    for action in ("east", "west", "take lamp"):
        if not last.done:
            last = env.answer(action)
            assert twin.answer(action) == last


def test_forks_of_an_environment_draw_seeds_by_themselves() -> None:
    env = Corridor()
    env.reset(seed=3)
    first, second = env.fork(2)
    untouched = copy.deepcopy(env)
    first.reset()
    assert second.reset()[1]["state_key"] == untouched.reset()[1]["state_key"]


def test_a_snapshot_belongs_to_one_environment_and_version() -> None:
    env = Corridor()
    env.start(0)
    with pytest.raises(BadOption, match=r"snapshot is of Corridor-v0 1\.0\.0, this .* Hallway-v0"):
        Hallway().restore(env.snapshot())


@given(st.binary(max_size=60))
def test_bytes_that_are_no_snapshot_are_refused(text: bytes) -> None:
    with pytest.raises(BadOption, match="not a snapshot"):
        read_snapshot(text)


@pytest.mark.parametrize(
    ("key", "value"), [("last", 1), ("last", {}), ("frozen", None), ("turns", None)]
)
def test_a_snapshot_without_one_of_its_parts_is_refused(key: str, value: object) -> None:
    env = Corridor()
    env.start(0)
    tree = json.loads(env.snapshot())
    if value is None:
        del tree[key]
    else:
        tree[key] = value
    with pytest.raises(BadOption, match="not a snapshot"):
        read_snapshot(json.dumps(tree).encode())

"""The forms that TRL and skyrl-gym publish, kept by the classes made for them."""

import inspect
import typing

import pytest

import gigym
from gigym.envs import UnknownEnv
from gigym.envs.adapters import skyrl_environment, trl_environment


def test_trl_sees_one_tool_beside_reset_and_reward() -> None:
    made = trl_environment("ALFWorld-v0", split="test")
    public = {n for n, _ in inspect.getmembers(made, inspect.isfunction) if not n.startswith("_")}
    assert public == {"reset", "act", "get_reward"}


def test_the_tool_has_the_hints_and_the_docstring_that_trl_reads() -> None:
    act = trl_environment("ALFWorld-v0").act  # pyright: ignore[reportAttributeAccessIssue]
    assert typing.get_type_hints(act) == {"command": str, "return": str}
    told = inspect.getdoc(act) or ""
    assert "Args:\n    command: " in told and "Returns:\n    " in told


def test_trl_plays_an_episode_to_its_reward_and_the_next_from_nothing() -> None:
    env = trl_environment("ALFWorld-v0")()
    known = gigym.make("ALFWorld-v0")
    reply = known.start(5)
    expert = known.expert()
    assert reply.observation in env.reset(seed=5, prompt=[{"role": "user", "content": "x"}])
    while not reply.done:
        action = expert.act(reply)
        reply = known.answer(action)
        assert reply.observation in env.act(action)
    assert env.get_reward() == 10.0
    assert env.act("look") == "The episode is over."
    env.reset(seed=5)
    assert env.get_reward() == 0.0


def test_a_row_may_name_its_task() -> None:
    known = gigym.make("ALFWorld-v0", split="test")
    task = known.tasks()[2].options["task"]
    env = trl_environment("ALFWorld-v0", split="test")()
    assert env.reset(task=task).startswith(known.start(0, {"task": task}).observation)


def test_skyrl_plays_an_episode_in_messages() -> None:
    made = skyrl_environment("ALFWorld-v0")
    env = made(env_config={}, extras={"seed": 5, "max_turns": 50})
    known = gigym.make("ALFWorld-v0")
    reply, expert = known.start(5), known.expert()
    system = {"role": "system", "content": "play"}
    messages, metadata = env.init([system])
    assert messages[0] == system
    assert messages[1]["role"] == "user" and reply.observation in messages[1]["content"]
    assert metadata["state_key"] == reply.state_key
    earned, answer = 0.0, {"done": False}
    while not answer["done"]:
        action = expert.act(reply)
        reply, answer = known.answer(action), env.step(action)
        assert {"observations", "reward", "done", "metadata"} <= set(answer)
        earned += answer["reward"]
    assert (earned, env.get_metrics()["success"]) == (10.0, 1.0)
    assert env.get_metrics() == {"success": 1.0, "turns": float(env.turns)}
    env.close()


def test_skyrl_ends_at_its_own_turn_limit() -> None:
    env = skyrl_environment("ALFWorld-v0")(extras={"max_turns": 2})
    env.init([])
    assert [env.step("look")["done"] for _ in range(2)] == [False, True]
    assert (env.turns, env.max_turns) == (2, 2)


@pytest.mark.parametrize("form", [trl_environment, skyrl_environment])
def test_a_name_that_is_not_there_is_refused_at_once(
    form: typing.Callable[[str], type],
) -> None:
    with pytest.raises(UnknownEnv, match="did you mean 'ALFWorld-v0'"):
        form("ALFWorld-v9")

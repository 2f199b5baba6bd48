"""Problems of reasoning-gym, where it is installed, and a clear word where it is not."""

import importlib.util

import pytest

from gigym.envs import BadOption, MissingExtra, UnknownTask
from gigym.envs.math_tools import MathToolsEnv

INSTALLED = importlib.util.find_spec("reasoning_gym") is not None
needs_it = pytest.mark.skipif(not INSTALLED, reason="the extra `reasoning` is not installed")


@pytest.mark.skipif(INSTALLED, reason="the extra `reasoning` is installed")
def test_without_the_extra_the_install_line_is_told() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'gigym\[reasoning\]'"):
        MathToolsEnv(reasoning_gym="chain_sum")


@needs_it
def test_its_problems_are_played_and_scored_by_its_own_scorer() -> None:
    env = MathToolsEnv(reasoning_gym="chain_sum")
    for seed in range(3):
        reply = env.start(seed)
        assert reply.info["task_id"] == f"reasoning/chain_sum/{2 * seed}"
        won = env.answer(env.expert().act(reply))
        assert won.reward == 1.0 and won.info["checker"] == "scorer"
        env.start(seed)
        lost = env.answer("<answer>no number</answer>")
        assert lost.reward == 0.0 and lost.info["won"] is False
    first = env.start(1).observation
    assert MathToolsEnv(reasoning_gym="chain_sum").start(1).observation == first
    assert MathToolsEnv(reasoning_gym="chain_sum", split="test").start(1).observation != first


@needs_it
def test_a_name_that_it_lacks_is_told() -> None:
    with pytest.raises(BadOption, match="reasoning-gym has no item of 'no_such_set'"):
        MathToolsEnv(reasoning_gym="no_such_set")
    env = MathToolsEnv(reasoning_gym="chain_sum")
    for name in ("word/3/17", "reasoning/chain_sum/x", "reasoning/../1"):
        with pytest.raises(UnknownTask, match="reasoning/DATASET/SEED"):
            env.start(0, {"task": name})

from typing import Any

import numpy as np
import pytest

from gigym.grouping import Steps, estimate
from gigym.grouping import transforms as t


def make_steps(**changes: object) -> Steps:
    """Three siblings: a win, a truncated loop through the same state, a terminated loss."""
    columns: dict[str, Any] = {
        "task": ["g"] * 5,
        "trajectory": [0, 0, 1, 1, 2],
        "step": [0, 1, 0, 1, 0],
        "anchor": ["s", "a", "s", "s", "s"],
        "next_anchor": ["a", None, "s", "a", None],
        "action": ["go", "take", "look", "go", "quit"],
        "reward": [0.0, 10.0, 0.0, 0.0, 0.0],
        "terminated": [False, True, False, False, True],
        "truncated": [False, False, False, True, False],
    }
    columns.update(changes)
    return Steps.of(**columns)


def test_a_virtual_win_pushes_down_a_group_that_all_failed() -> None:
    steps = make_steps(reward=[0.0] * 5)
    credit = estimate(steps, "gigpo")
    assert not credit.advantage.any()
    changed = t.virtual_sample(steps, credit, r_max=10.0)
    np.testing.assert_allclose(changed.advantage, -0.5)
    np.testing.assert_allclose(changed.episode, -0.5)


def test_a_virtual_win_leaves_the_step_part_alone() -> None:
    steps = make_steps()
    credit = estimate(steps, "gigpo")
    changed = t.virtual_sample(steps, credit)
    np.testing.assert_allclose(changed.advantage - changed.episode, credit.step)
    assert t.NGRPO_CLIP.low < t.NGRPO_CLIP.high


def test_regrouping_compares_across_the_metric() -> None:
    steps = make_steps()
    credit = estimate(steps, "grpo")
    tokens = np.array([9.0, 9.0, 1.0, 1.0, 5.0])
    changed = t.regroup(steps, credit, tokens)
    np.testing.assert_allclose(changed.advantage, [10.0, 10.0, -5.0, -5.0, 0.0])


def test_negative_advantages_can_weigh_less() -> None:
    credit = estimate(make_steps(), "gigpo")
    half = t.weigh_negatives(credit, 0.5).advantage
    lost = credit.advantage < 0
    np.testing.assert_allclose(half[lost], credit.advantage[lost] / 2)
    np.testing.assert_allclose(half[~lost], credit.advantage[~lost])


def test_progress_pays_steps_towards_success_and_telescopes_for_one_attempt() -> None:
    steps = make_steps()
    paid = t.pay_progress(steps, alpha=1.0, k=1).reward
    start = 1 / 3
    np.testing.assert_allclose(paid[0], 1.0 - start)
    np.testing.assert_allclose(paid[0] + paid[1] - 10.0, 1.0 - start)
    np.testing.assert_allclose(paid[4], -start)
    assert t.pay_progress(steps, alpha=1.0, k=4).reward[0] == pytest.approx(
        1 - (1 - (1 - start) ** 4)
    )


def test_novelty_is_paid_only_where_every_sibling_failed() -> None:
    assert (t.pay_novelty(make_steps()).reward == make_steps().reward).all()
    failed = make_steps(reward=[0.0] * 5)
    paid = t.pay_novelty(failed, beta=1.0).reward
    np.testing.assert_allclose(paid, [0.5, 1.0, 0.5, 0.5 / np.sqrt(2), 0.5])
    first = t.pay_novelty(failed, beta=1.0, first_only=True).reward
    np.testing.assert_allclose(first, [0.5, 1.0, 0.5, 0.0, 0.5])


def test_a_truncated_row_is_paid_what_its_last_state_is_worth() -> None:
    paid = t.pay_truncations(make_steps(), gamma=0.5)
    np.testing.assert_allclose(paid.reward, [0.0, 10.0, 0.0, 5.0, 0.0])
    credit = estimate(paid, "gigpo", gamma=0.5)
    np.testing.assert_allclose(credit.returns, [5.0, 10.0, 2.5, 5.0, 0.0])


def test_padding_keeps_its_reward_and_gets_no_credit() -> None:
    steps = make_steps(weight=[1, 1, 1, 1, 0])
    assert t.pay_progress(steps).reward[4] == 0.0
    assert t.virtual_sample(steps, estimate(steps, "gigpo")).advantage[4] == 0.0


def test_transforms_take_empty_batches() -> None:
    empty = Steps.of(task=[], trajectory=[], step=[], anchor=[], reward=[])
    for change in (t.pay_progress, t.pay_novelty, t.pay_truncations):
        assert len(change(empty)) == 0
    credit = estimate(empty, "gigpo")
    assert len(t.virtual_sample(empty, credit).advantage) == 0
    assert len(t.regroup(empty, credit, np.zeros(0)).advantage) == 0


def test_an_unlikely_success_is_raised_by_at_most_half_and_failures_keep_their_credit() -> None:
    columns = {"trajectory": [0, 1, 2, 3], "step": [0] * 4, "reward": [10.0, 10.0, 10.0, 0.0]}
    steps = Steps.of(task=["g"] * 4, anchor=["s"] * 4, **columns)
    credit = estimate(steps, "rloo")
    changed = t.reward_surprise(steps, credit, np.array([-0.2, -0.6, -3.0, -9.0]))
    np.testing.assert_array_equal(changed.advantage[[0, 1, 3]], credit.advantage[[0, 1, 3]])
    raised = t.reward_surprise(steps, credit, np.array([-0.2, -0.6, -9.0, -0.2]))
    assert credit.advantage[2] < raised.advantage[2] <= 1.5 * credit.advantage[2]
    assert raised.advantage[3] == credit.advantage[3]

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.grouping import BadColumns
from gigym.grouping.allocate import SuccessEstimate, allocate, group_value


def best_value(chances: list[float], budget: int, n_up: int) -> float:
    """By trying every split."""
    counts = itertools.product(range(1, n_up + 1), repeat=len(chances))
    return max(
        sum(group_value(n, p) for n, p in zip(split, chances, strict=True))
        for split in counts
        if sum(split) <= budget
    )


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), min_size=1, max_size=3),
    st.integers(3, 12),
)
@settings(deadline=None, max_examples=40, database=None)
def test_the_greedy_is_optimal(chances: list[float], budget: int) -> None:
    rollouts = allocate(chances, budget, n_low=1, n_up=6).tolist()
    assert sum(rollouts) <= budget
    value = sum(group_value(n, p) for n, p in zip(rollouts, chances, strict=True))
    assert value == pytest.approx(best_value(chances, budget, 6))


def test_what_is_solved_or_hopeless_gets_the_minimum() -> None:
    assert allocate([0.0, 0.5, 1.0], 20, n_up=16).tolist() == [2, 16, 2]


def test_dear_rollouts_are_bought_less() -> None:
    even = allocate([0.4, 0.4], 40).tolist()
    dear = allocate([0.4, 0.4], 40, cost=[1.0, 4.0]).tolist()
    assert even == [20, 20]
    assert dear[0] > dear[1]
    assert dear[0] + 4 * dear[1] <= 40


def test_a_rollout_that_does_not_fit_is_passed_over_for_one_that_does() -> None:
    assert allocate([0.3, 0.3], 15, cost=[5.0, 1.0], n_low=1, n_up=16).tolist() == [2, 5]


@pytest.mark.parametrize(
    ("given_options", "message"),
    [
        ({"success": [0.5] * 4, "budget": 7}, "does not cover 2 rollouts of each of 4"),
        ({"success": [1.5], "budget": 8}, "between 0 and 1"),
        ({"success": [0.5], "budget": 8, "cost": [0.0]}, "cost must be positive"),
        ({"success": [0.5], "budget": 8, "cost": [1.0, 1.0]}, "cost has 2 values"),
        ({"success": [0.5], "budget": 8, "n_low": 0}, "0 < n_low"),
    ],
)
def test_bad_input_is_named(given_options: dict[str, object], message: str) -> None:
    with pytest.raises(BadColumns, match=message):
        allocate(**given_options)  # pyright: ignore[reportArgumentType]


def test_the_belief_in_a_task_follows_its_groups_and_forgets() -> None:
    belief = SuccessEstimate()
    assert belief.mean == 0.5
    for _ in range(50):
        belief = belief.updated(wins=8, losses=0)
    assert belief.mean > 0.95
    for _ in range(10):
        belief = belief.updated(wins=0, losses=8)
    assert belief.mean < 0.5

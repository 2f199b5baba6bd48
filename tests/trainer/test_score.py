import math

import pytest

from gigym.trainer.score import wilson


def test_the_wilson_interval_matches_published_values() -> None:
    half = wilson(15, 148)
    assert (half.low, half.high) == pytest.approx((0.0624, 0.1605), abs=2e-4)


def test_no_success_still_leaves_room_above_zero() -> None:
    none = wilson(0, 10)
    assert (none.mean, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.2775, abs=1e-4)


def test_the_interval_is_symmetric_in_success_and_failure() -> None:
    few, many = wilson(3, 20), wilson(17, 20)
    assert math.isclose(few.low, 1 - many.high)
    assert math.isclose(few.high, 1 - many.low)


def test_no_episodes_say_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)

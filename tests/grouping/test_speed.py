"""Time grows with the rows, not with their square; wide bounds let a busy machine pass."""

import time
from collections.abc import Callable

import pytest

from gigym.bench.grouping import walk
from gigym.grouping import Steps, estimate


def fastest(stage: Callable[[], object]) -> float:
    """CPU seconds, best of three."""
    times: list[float] = []
    for _ in range(3):
        began = time.process_time()
        stage()
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize("name", ["gigpo", "crbc", "graphgpo", "backoff_lambda"])
def test_eight_times_the_rows_take_far_less_than_the_square(name: str) -> None:
    small, large = Steps.of(**walk(16)), Steps.of(**walk(128))
    ratio = fastest(lambda: estimate(large, name)) / fastest(lambda: estimate(small, name))
    assert ratio < 24


def test_a_batch_of_the_published_size_takes_a_fraction_of_a_second() -> None:
    columns = walk(128)
    assert fastest(lambda: estimate(Steps.of(**columns), "gigpo")) < 0.5

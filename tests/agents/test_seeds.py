"""Seeds name requests."""

import itertools

from gigym.agents import request_seed


def test_every_part_of_a_request_changes_its_seed() -> None:
    places = itertools.product((0, 1), (0, 1), ("a", "b"), (0, 1), (0, 1), (0, 1))
    seeds = {request_seed(*place) for place in places}
    assert len(seeds) == 2**6


def test_a_seed_is_64_bits_and_the_same_in_any_process() -> None:
    assert request_seed(1, 2, "task", 3, 4) == request_seed(1, 2, "task", 3, 4, 0)
    assert request_seed(1, 2, "task", 3, 4) == 0x4D871029B630596A
    assert max(request_seed(0, 0, "", 0, turn) for turn in range(99)) > 2**63


def test_evaluations_may_count_iterations_from_below_zero() -> None:
    assert request_seed(1, -3, "task", 0, 0) != request_seed(1, 3, "task", 0, 0)

import numpy as np
import pytest

from gigym.grouping import BadColumns, Spans

MASK = [[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 1]]


def test_unbroken_runs_of_sampled_tokens_are_turns() -> None:
    spans = Spans.of(MASK)
    assert spans.row.tolist() == [0, 0, 2, 2]
    assert spans.turn.tolist() == [0, 1, 0, 1]
    assert spans.start.tolist() == [0, 3, 1, 4]
    assert spans.stop.tolist() == [2, 4, 2, 5]


def test_one_number_per_turn_lands_on_its_tokens_only() -> None:
    tokens = Spans.of(MASK).spread(np.array([1.0, 2.0, 3.0, 4.0]))
    assert tokens.tolist() == [[1, 1, 0, 2, 0], [0] * 5, [0, 3, 0, 0, 4]]


def test_what_the_world_paid_while_answering_belongs_to_the_turn_before() -> None:
    rewards = [[0, 1, 2, 4, 8], [9] * 5, [99, 0, 0, 5, 7]]
    assert Spans.of(MASK).sum(rewards).tolist() == [3, 12, 5, 7]


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(BadColumns, match=r"\(row, token\)"):
        Spans.of([1, 0])
    with pytest.raises(BadColumns, match="4 values, one per turn, got 1"):
        Spans.of(MASK).spread(np.zeros(1))
    with pytest.raises(BadColumns, match=r"shape \(3, 5\)"):
        Spans.of(MASK).sum(np.zeros((3, 4)))


def test_no_rows_have_no_turns() -> None:
    assert len(Spans.of(np.zeros((0, 4)))) == 0
    assert Spans.of(np.zeros((2, 0))).spread(np.zeros(0)).shape == (2, 0)

from typing import Any

import numpy as np
import pytest

from gigym.grouping import BadColumns, Steps, ordered


def columns(**changes: object) -> dict[str, Any]:
    """Two trajectories of one task: x y, and x."""
    base: dict[str, object] = {
        "task": ["g", "g", "g"],
        "trajectory": ["t0", "t0", "t1"],
        "step": [0, 1, 0],
        "anchor": ["x", "y", "x"],
        "reward": [0.0, 1.0, 0.0],
    }
    return {**base, **changes}


def test_without_end_flags_the_last_row_of_a_trajectory_ends_its_task() -> None:
    steps = Steps.of(**columns())
    assert steps.terminated.tolist() == [False, True, True]
    assert steps.truncated.tolist() == [False, False, False]


def test_the_flag_column_that_is_absent_says_what_the_other_leaves_open() -> None:
    steps = Steps.of(**columns(terminated=[False, True, False]))
    assert steps.truncated.tolist() == [False, False, True]
    steps = Steps.of(**columns(truncated=[False, True, False]))
    assert steps.terminated.tolist() == [False, False, True]


def test_successors_come_from_the_next_row_and_ends_have_none() -> None:
    steps = Steps.of(**columns(truncated=[False, True, False], next_anchor=["y", "x", "x"]))
    assert steps.levels[0].next_ids.tolist() == [1, 0, -1]
    assert Steps.of(**columns()).levels[0].next_ids.tolist() == [1, -1, -1]


def test_levels_are_named_finest_first() -> None:
    keys = [["fx", "fy", "fz"], ["x", "y", "x"]]
    assert [level.name for level in Steps.of(**columns(anchor=keys)).levels] == [
        "anchor",
        "anchor_1",
    ]
    named = {"fine": keys[0], "anchor": keys[1]}
    steps = Steps.of(**columns(anchor=named))
    assert [level.name for level in steps.levels] == ["fine", "anchor"]
    assert ordered(steps).level().name == "anchor"


def test_columns_are_read_only_and_never_the_callers_array() -> None:
    reward = np.array([0.0, 1.0, 0.0])
    steps = Steps.of(**columns(reward=reward))
    reward[0] = 5.0
    assert steps.reward[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        steps.reward[0] = 1.0


def test_rows_may_arrive_in_any_order() -> None:
    steps = Steps.of(
        **columns(
            trajectory=["t0", "t1", "t0"],
            step=[1, 0, 0],
            anchor=["y", "x", "x"],
            reward=[1.0, 0.0, 0.0],
        )
    )
    assert steps.order.tolist() == [2, 0, 1]
    assert ordered(steps).remaining.tolist() == [1, 0, 0]


def test_padding_is_checked_for_nothing_but_its_length() -> None:
    steps = Steps.of(
        **columns(
            task=["g", "g", "h"],
            trajectory=["t0", "t0", "t0"],
            step=[0, 1, 1],
            reward=[0.0, 1.0, float("nan")],
            weight=[1, 1, 0],
        )
    )
    assert len(ordered(steps)) == 2


def test_an_empty_batch_is_a_batch() -> None:
    steps = Steps.of(task=[], trajectory=[], step=[], anchor=[], reward=[])
    assert len(steps) == 0
    assert len(ordered(steps)) == 0


BAD: dict[str, tuple[dict[str, object], str]] = {
    "unequal lengths": ({"reward": [0.0]}, r"'reward' has shape \(1,\), expected \(3,\)"),
    "short keys": ({"anchor": ["x"]}, "'anchor' has 1 values, but 'task' has 3"),
    "nan reward": ({"reward": [0.0, float("nan"), 0.0]}, "reward of row 1 is nan"),
    "infinite reward": ({"reward": [0.0, 0.0, float("inf")]}, "reward of row 2 is inf"),
    "huge reward": (
        {"reward": [0.0, 0.0, -1e200]},
        "reward of row 2 is -1e.200; .* at most 1e.100",
    ),
    "text reward": ({"reward": ["0", "1", "2"]}, "'reward' must hold numbers"),
    "two tasks": ({"task": ["g", "h", "g"]}, "trajectory 't0' is in two tasks"),
    "repeated step": ({"step": [0, 0, 0]}, "trajectory 't0' has two rows for this step"),
    "gap": ({"step": [0, 2, 0]}, "trajectory 't0' lacks the step before"),
    "half step": ({"step": [0, 0.5, 0]}, "'step' must hold whole numbers, got 0.5"),
    "life after the end": ({"terminated": [True, True, True]}, "'t0' goes on after"),
    "odd weight": ({"weight": [1, 0.5, 1]}, "'weight' must hold booleans .* got 0.5"),
    "wrong successor": ({"next_anchor": ["x", "y", "x"]}, "names another next_anchor"),
    "unknown successor level": ({"next_anchor": {"deep": ["x"] * 3}}, "levels .'deep'. that"),
    "one text": ({"anchor": "xyx"}, "'anchor' must be a sequence"),
    "matrix": ({"anchor": np.zeros((3, 2))}, "'anchor' must have one axis"),
    "no key": ({"anchor": ["x", None, "y"]}, "a key must be str"),
    "no level": ({"anchor": {}}, "at least one level"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_columns_are_named(name: str) -> None:
    changes, message = BAD[name]
    with pytest.raises(BadColumns, match=message):
        Steps.of(**columns(**changes))


@pytest.mark.parametrize("anchor", [{"a", "b"}, iter("ab")], ids=["set", "iterator"])
def test_anchors_without_an_order_or_a_length_are_refused(anchor: object) -> None:
    with pytest.raises(BadColumns, match="anchor must be a sequence"):
        Steps.of(task=[0, 0], trajectory=[0, 0], step=[0, 1], anchor=anchor, reward=[0, 1])  # pyright: ignore[reportArgumentType]

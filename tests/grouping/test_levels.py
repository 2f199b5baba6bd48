"""Levels for back-off against a plain reading of their definitions."""

from typing import Any

import numpy as np
import pytest

from gigym.grouping import Steps, estimate, ordered, with_backoff, with_history, with_visited


def walk(seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        name: [] for name in ("task", "trajectory", "step", "anchor", "reward", "next_anchor")
    }
    for i in range(6):
        state, length = 0, int(draw.integers(1, 9))
        for t in range(length):
            then = int(draw.integers(0, 3))
            for name, value in zip(columns, (0, i, t, state, 1.0, then), strict=True):
                columns[name].append(value)
            state = then
    size = len(columns["task"])
    ends = [t == size - 1 or columns["step"][t + 1] == 0 for t in range(size)]
    columns.update(truncated=ends, terminated=[False] * size)
    return columns


def names(columns: dict[str, Any], kind: str) -> list[tuple[Any, Any]]:
    """The key of each row and of what it leads to, as Python values."""
    found = []
    for row, step in enumerate(columns["step"]):
        past = columns["anchor"][row - step : row + 1]
        after = [*past, columns["next_anchor"][row]]
        if kind == "visited":
            found.append(((past[-1], frozenset(past)), (after[-1], frozenset(after))))
        else:
            found.append((tuple(past[-int(kind) :]), tuple(after[-int(kind) :])))
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("kind", "place"), [("3", 0), ("2", 1), ("visited", 0)])
def test_refined_keys_are_equal_exactly_where_their_definition_says(
    seed: int, kind: str, place: int
) -> None:
    columns = walk(seed)
    steps = Steps.of(**columns)
    steps = with_visited(steps) if kind == "visited" else with_history(steps, 3)
    level = steps.levels[place]
    expected = [key for pair in names(columns, kind) for key in pair]
    got = [
        i for pair in zip(level.ids.tolist(), level.next_ids.tolist(), strict=True) for i in pair
    ]
    assert len(set(zip(expected, got, strict=True))) == len(set(expected)) == len(set(got))


def test_refined_levels_are_nested_over_the_anchor_and_back_off_uses_them() -> None:
    steps = with_history(Steps.of(**walk(1)), 3)
    assert [level.name for level in steps.levels] == ["last_3", "last_2", "anchor"]
    assert np.isfinite(estimate(steps, "backoff_lambda").advantage).all()


def test_shuffled_rows_and_padding_get_the_same_partition() -> None:
    columns = walk(2)
    plain = with_visited(Steps.of(**columns)).levels[0]
    rows = np.random.default_rng(0).permutation(len(columns["task"])).tolist()
    rows = [*rows, rows[0]]
    padded: dict[str, Any] = {name: [c[row] for row in rows] for name, c in columns.items()}
    level = with_visited(Steps.of(**padded, weight=[1] * (len(rows) - 1) + [0])).levels[0]
    pairs = set(zip(plain.ids[rows[:-1]].tolist(), level.ids[:-1].tolist(), strict=True))
    assert len(pairs) == len(set(plain.ids.tolist()))


def test_back_off_takes_states_where_the_environment_names_them() -> None:
    columns = walk(3)
    seen = ["same"] * len(columns["task"])
    columns["next_anchor"] = seen
    labels = {"state": columns["anchor"]}
    steps = with_backoff(Steps.of(**{**columns, "anchor": seen}, labels=labels))
    assert [level.name for level in steps.levels] == ["visited", "anchor"]
    states = steps.levels[1].ids[ordered(steps).first]
    assert len(set(states.tolist())) == 1
    assert len(set(steps.levels[1].ids.tolist())) == 3
    assert [level.name for level in with_backoff(Steps.of(**walk(3))).levels] == [
        "last_3",
        "last_2",
        "anchor",
    ]


def test_no_rows_have_levels_too() -> None:
    empty = Steps.of(task=[], trajectory=[], step=[], anchor=[], reward=[])
    assert len(with_history(empty).levels) == 3
    assert len(with_visited(empty).levels) == 2

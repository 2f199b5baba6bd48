"""Properties that hold for every batch, against a plain oracle written from the equations."""

import random
import statistics
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gigym.grouping import Credit, Steps, estimate, estimator_names

Columns = dict[str, Any]

CREDIT = settings(
    deadline=None,
    max_examples=20,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
KEYS = st.sampled_from("xyz")
QUARTERS = st.integers(-8, 40).map(lambda quarters: quarters / 4)


class Played(NamedTuple):
    """One drawn trajectory."""

    anchors: list[str]
    rewards: list[float]
    valid: list[bool]
    truncated: bool


@st.composite
def trajectories(draw: st.DrawFn) -> Played:
    length = draw(st.integers(1, 5))
    return Played(
        anchors=["start", *draw(st.lists(KEYS, min_size=length - 1, max_size=length - 1))],
        rewards=draw(st.lists(QUARTERS, min_size=length, max_size=length)),
        valid=draw(st.lists(st.booleans(), min_size=length, max_size=length)),
        truncated=draw(st.booleans()),
    )


@st.composite
def batches(draw: st.DrawFn, min_tasks: int = 0) -> Columns:
    """Rows of up to three tasks with up to four siblings each, in order."""
    groups = st.lists(trajectories(), min_size=1, max_size=4)
    tasks = draw(st.lists(groups, min_size=min_tasks, max_size=3))
    names = ("task", "trajectory", "step", "anchor", "action", "reward", "truncated", "valid")
    columns: Columns = {name: [] for name in names}
    for g, siblings in enumerate(tasks):
        for i, played in enumerate(siblings):
            last = len(played.rewards) - 1
            for t, anchor in enumerate(played.anchors):
                row = (g, f"{g}/{i}", t, anchor, "ab"[t % 2], played.rewards[t])
                flags = (played.truncated and t == last, played.valid[t])
                for name, value in zip(names, (*row, *flags), strict=True):
                    columns[name].append(value)
    return columns


def taken(columns: Columns, rows: list[int]) -> Columns:
    return {name: [column[row] for row in rows] for name, column in columns.items()}


def close(got: np.ndarray, expected: np.ndarray | list[float]) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-7, atol=1e-9)


def oracle(columns: Columns, *, gamma: float, norm: str, penalty: float, scope: str) -> list[float]:
    """Eq. 3 to 8 row by row in plain Python."""
    size = len(columns["task"])
    fined = [0.0 if ok else penalty for ok in columns["valid"]]
    paths: dict[str, list[int]] = {}
    for row in range(size):
        paths.setdefault(columns["trajectory"][row], []).append(row)
    reward = columns["reward"]
    returns, score = [0.0] * size, [0.0] * size
    for path in paths.values():
        for row in path:
            score[row] = sum(reward[r] - fined[r] for r in path)
            returns[row] = sum(
                gamma**k * (reward[r] - (fined[r] if scope == "propagated" or k == 0 else 0.0))
                for k, r in enumerate(path[path.index(row) :])
            )
    out = []
    named = list(zip(columns["task"], columns["anchor"], strict=True))
    for row in range(size):
        siblings = [path[0] for path in paths.values() if named[path[0]][0] == named[row][0]]
        same = [r for r in range(size) if named[r] == named[row]]
        out.append(
            against(score[row], [score[r] for r in siblings], norm)
            + against(returns[row], [returns[r] for r in same], norm)
        )
    return out


def against(value: float, members: list[float], norm: str) -> float:
    if max(members) == min(members):
        return 0.0
    spread = statistics.stdev(members) if norm == "mean_std" else 1.0
    return (value - statistics.fmean(members)) / max(spread, 1e-6 if norm == "mean_std" else 1.0)


@CREDIT
@given(batches(), st.sampled_from(["mean", "mean_std"]), st.sampled_from(["local", "propagated"]))
def test_gigpo_is_what_the_equations_say(columns: Columns, norm: str, scope: str) -> None:
    options = {"gamma": 0.5, "norm": norm, "invalid_penalty": 0.25, "penalty_scope": scope}
    credit = estimate(Steps.of(**columns), "gigpo", **options)
    close(credit.advantage, oracle(columns, gamma=0.5, norm=norm, penalty=0.25, scope=scope))


@pytest.mark.parametrize("name", estimator_names())
@CREDIT
@given(columns=batches(), seed=st.integers(0, 2**16))
def test_permuting_rows_permutes_advantages(name: str, columns: Columns, seed: int) -> None:
    rows = list(range(len(columns["task"])))
    random.Random(seed).shuffle(rows)
    plain = estimate(Steps.of(**columns), name)
    shuffled = estimate(Steps.of(**taken(columns, rows)), name)
    close(shuffled.advantage, plain.advantage[rows])


@pytest.mark.parametrize("name", estimator_names())
@CREDIT
@given(columns=batches(), seed=st.integers(0, 2**16))
def test_padding_changes_nothing_and_gets_nothing(name: str, columns: Columns, seed: int) -> None:
    size = len(columns["task"])
    rows = [*range(size), *random.Random(seed).choices(range(size), k=3 if size else 0)]
    weight = [1] * size + [0] * (len(rows) - size)
    padded = estimate(Steps.of(**taken(columns, rows), weight=weight), name)
    close(padded.advantage[:size], estimate(Steps.of(**columns), name).advantage)
    assert not padded.advantage[size:].any()


@pytest.mark.parametrize("name", estimator_names())
@CREDIT
@given(columns=batches(min_tasks=2))
def test_tasks_do_not_touch_each_other(name: str, columns: Columns) -> None:
    together = estimate(Steps.of(**columns), name).advantage
    for task in set(columns["task"]):
        rows = [row for row, g in enumerate(columns["task"]) if g == task]
        close(together[rows], estimate(Steps.of(**taken(columns, rows)), name).advantage)


@pytest.mark.parametrize("name", estimator_names())
@CREDIT
@given(columns=batches())
def test_every_estimator_stays_finite(name: str, columns: Columns) -> None:
    credit = estimate(Steps.of(**columns), name)
    for array in (credit.advantage, credit.episode, credit.step, credit.returns):
        assert np.isfinite(array).all()
    assert all(np.isfinite(value) for value in credit.report.values())


@pytest.mark.parametrize("name", estimator_names())
@CREDIT
@given(columns=batches())
def test_siblings_that_all_earn_nothing_get_exactly_nothing(name: str, columns: Columns) -> None:
    size = len(columns["task"])
    nothing = {**columns, "reward": [0.0] * size, "valid": [True] * size}
    assert not estimate(Steps.of(**nothing), name).advantage.any()


@CREDIT
@given(batches(min_tasks=1), QUARTERS)
def test_one_constant_for_every_sibling_changes_no_episode_credit(
    columns: Columns, constant: float
) -> None:
    last = [
        row + 1 == len(columns["step"]) or columns["step"][row + 1] == 0
        for row in range(len(columns["step"]))
    ]
    moved = [r + constant * end for r, end in zip(columns["reward"], last, strict=True)]
    for norm in ("mean", "mean_std"):
        before = estimate(Steps.of(**columns), "gigpo", norm=norm)
        after = estimate(Steps.of(**{**columns, "reward": moved}), "gigpo", norm=norm)
        close(after.episode, before.episode)


@CREDIT
@given(batches(), st.sampled_from([0.5, 4.0, 1024.0]))
def test_scaling_the_rewards_scales_mean_credit_and_leaves_mean_std_credit(
    columns: Columns, scale: float
) -> None:
    scaled = {**columns, "reward": [reward * scale for reward in columns["reward"]]}

    def both(norm: str) -> tuple[Credit, Credit]:
        options = {"norm": norm, "invalid_penalty": 0.0}
        return (
            estimate(Steps.of(**columns), "gigpo", **options),
            estimate(Steps.of(**scaled), "gigpo", **options),
        )

    before, after = both("mean")
    close(after.advantage, before.advantage * scale)
    before, after = both("mean_std")
    close(after.advantage, before.advantage)


@CREDIT
@given(batches())
def test_credit_sums_to_zero_where_it_compares(columns: Columns) -> None:
    credit = estimate(Steps.of(**columns), "gigpo")
    for group in set(credit.step_group.tolist()):
        assert abs(credit.step[credit.step_group == group].sum()) < 1e-9
    first = [row for row, step in enumerate(columns["step"]) if step == 0]
    for task in set(columns["task"]):
        rows = [row for row in first if columns["task"][row] == task]
        assert abs(credit.episode[rows].sum()) < 1e-9


@CREDIT
@given(batches(), st.sampled_from(["mean", "mean_std"]))
def test_grpo_is_gigpo_without_the_step_term(columns: Columns, norm: str) -> None:
    options = {"norm": norm, "invalid_penalty": 0.1}
    grpo = estimate(Steps.of(**columns), "grpo", **options)
    gigpo = estimate(Steps.of(**columns), "gigpo", omega=0.0, **options)
    close(grpo.advantage, gigpo.advantage)

"""The core: identities between presets, exactness of the solvers, what back-off does."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.grouping import BadEstimatorOption, Steps, estimate, ordered
from gigym.grouping.estimators.blend import contrast
from gigym.grouping.estimators.core import Pool, nested_graphs
from gigym.grouping.graph import Graph, graph_of
from gigym.grouping.groups import Groups
from gigym.grouping.solve import fixed_point, node_values

RAW: dict[str, Any] = {"kappa_v": 0.0, "kappa_a": 0.0, "norm": "none"}


def walk(seed: int, *, tasks: int = 3, siblings: int = 5, states: int = 4) -> dict[str, Any]:
    """Random walks over a few states with loops, early ends and truncations."""
    draw = np.random.default_rng(seed)
    names = ("task", "trajectory", "step", "anchor", "action", "reward", "terminated", "truncated")
    columns: dict[str, Any] = {name: [] for name in (*names, "next_anchor")}
    for g in range(tasks):
        for i in range(siblings):
            state, length = 0, int(draw.integers(1, 12))
            for t in range(length):
                action = int(draw.integers(0, 3))
                then = int(draw.integers(0, states))
                end = t == length - 1
                won = bool(end and draw.random() < 0.5)
                row = (g, f"{g}/{i}", t, state, action, 10.0 * won, won, end and not won, then)
                for name, value in zip(columns, row, strict=True):
                    columns[name].append(value)
                state = then
    return columns


def fine_and_coarse(seed: int) -> dict[str, Any]:
    columns = walk(seed, states=6)
    coarse = [state // 2 for state in columns["anchor"]]
    after = columns["next_anchor"]
    return {
        **columns,
        "anchor": {"fine": columns["anchor"], "anchor": coarse},
        "next_anchor": {"fine": after, "anchor": [state // 2 for state in after]},
    }


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30, database=None)
def test_lambda_one_without_shrinkage_is_the_step_term_of_gigpo(seed: int) -> None:
    steps = Steps.of(**walk(seed))
    core = estimate(steps, "backoff_lambda", **{"lambda": 1.0, **RAW})
    gigpo = estimate(steps, "gigpo", norm="mean", invalid_penalty=0.0)
    np.testing.assert_allclose(core.advantage, gigpo.step, atol=1e-12)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30, database=None)
def test_lambda_zero_pooled_by_action_is_crbc_before_its_scaling(seed: int) -> None:
    steps = Steps.of(**walk(seed))
    core = estimate(steps, "backoff_lambda", gamma=0.98, pool="action", **{"lambda": 0.0, **RAW})
    crbc = estimate(steps, "crbc", beta=0.98)
    np.testing.assert_allclose(core.advantage, 10 / 0.98 * crbc.parts["Q_minus_V"], atol=1e-9)
    raw = estimate(steps, "crbc_raw", gamma=0.98)
    np.testing.assert_allclose(core.advantage, raw.advantage, atol=1e-12)


def test_crbc_at_depth_zero_is_rtmc_on_success_and_depth_approaches_the_fixed_point() -> None:
    steps = Steps.of(**walk(5))
    rtmc = estimate(steps, "rtmc", gamma=0.98)
    shallow = estimate(steps, "crbc", depth=0)
    np.testing.assert_allclose(rtmc.advantage * 0.98, 10 * shallow.parts["Q_minus_V"], atol=1e-9)
    deep, exact = estimate(steps, "crbc", depth=900), estimate(steps, "crbc")
    np.testing.assert_allclose(deep.parts["V"], exact.parts["V"], atol=1e-6)


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.95, 0.999, 1.0]))
@settings(deadline=None, max_examples=40, database=None)
def test_values_satisfy_their_equation_to_rounding(seed: int, gamma: float) -> None:
    rows = ordered(Steps.of(**walk(seed)))
    graph = graph_of(rows)
    values = node_values(graph, rows.reward, gamma)
    again = graph.nodes.mean(rows.reward + gamma * graph.after(values, np.zeros(len(rows))))
    np.testing.assert_allclose(values, again, atol=1e-9)


def test_sweeps_and_elimination_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ordered(Steps.of(**walk(7, siblings=30)))
    graph = graph_of(rows)
    exact = node_values(graph, rows.reward, 0.95)
    monkeypatch.setattr("gigym.grouping.solve._LARGEST_DENSE", 0)
    np.testing.assert_allclose(node_values(graph, rows.reward, 0.95), exact, atol=1e-9)


def test_accelerated_sweeps_need_a_fraction_of_the_plain_ones() -> None:
    rows = ordered(Steps.of(**walk(7, siblings=60, states=12)))
    graph: Graph = graph_of(rows)

    def sweep(values: np.ndarray) -> np.ndarray:
        return graph.nodes.mean(rows.reward + 0.95 * graph.after(values, np.zeros(len(rows))))

    tasks = Groups(ids=graph.task_of_node, count=rows.task.count)
    _, sweeps = fixed_point(sweep, np.zeros(graph.nodes.count), tasks, 1e-10)
    plain, count = np.zeros(graph.nodes.count), 0
    while abs(sweep(plain) - plain).max() > 1e-9:
        plain, count = sweep(plain), count + 1
    assert sweeps < count / 2


@given(st.integers(0, 10_000), st.sampled_from(["row", "action"]))
@settings(deadline=None, max_examples=25, database=None)
def test_scaling_rewards_and_reward_scale_leaves_level_std_credit(seed: int, pool: str) -> None:
    columns = fine_and_coarse(seed)
    scaled = {**columns, "reward": [reward * 4.0 for reward in columns["reward"]]}
    before = estimate(Steps.of(**columns), "backoff_lambda", pool=pool)
    after = estimate(Steps.of(**scaled), "backoff_lambda", pool=pool, reward_scale=40.0)
    np.testing.assert_allclose(after.advantage, before.advantage, atol=1e-8)


def test_a_copy_of_a_task_under_another_name_changes_nothing() -> None:
    columns = fine_and_coarse(3)
    alone = estimate(Steps.of(**columns), "backoff_lambda").advantage
    doubled: dict[str, Any] = {
        name: {level: keys * 2 for level, keys in column.items()}
        if name in ("anchor", "next_anchor")
        else column * 2
        for name, column in columns.items()
    }
    size = len(columns["task"])
    doubled["task"] = [*columns["task"], *(f"copy {g}" for g in columns["task"])]
    doubled["trajectory"] = [*columns["trajectory"], *(f"copy {i}" for i in columns["trajectory"])]
    twice = estimate(Steps.of(**doubled), "backoff_lambda").advantage
    np.testing.assert_allclose(twice[:size], alone, atol=1e-8)
    np.testing.assert_allclose(twice[size:], alone, atol=1e-8)


def test_a_row_alone_at_the_fine_key_takes_the_credit_of_the_coarse_one() -> None:
    columns: dict[str, Any] = {
        "task": ["g"] * 3,
        "trajectory": [0, 1, 2],
        "step": [0, 0, 0],
        "reward": [10.0, 0.0, 0.0],
        "action": ["a", "b", "b"],
    }
    levels = {"fine": ["p", "q", "r"], "anchor": ["s", "s", "s"]}
    coarse = estimate(Steps.of(**columns, anchor=levels["anchor"]), "backoff_lambda")
    both = estimate(Steps.of(**columns, anchor=levels), "backoff_lambda")
    np.testing.assert_allclose(both.advantage, coarse.advantage)
    assert both.advantage[0] > 0 > both.advantage[1]


def test_levels_that_are_not_nested_are_refused() -> None:
    columns = walk(0)
    split = {"fine": [0] * len(columns["anchor"]), "anchor": columns["anchor"]}
    columns.pop("next_anchor")
    with pytest.raises(BadEstimatorOption, match="must be nested"):
        estimate(Steps.of(**{**columns, "anchor": split}), "backoff_lambda")


def test_a_truncated_episode_can_be_worth_what_its_last_state_is() -> None:
    columns: dict[str, Any] = {
        "task": ["g"] * 3,
        "trajectory": [0, 1, 1],
        "step": [0, 0, 1],
        "anchor": ["s", "x", "s"],
        "action": ["win", "go", "wait"],
        "reward": [10.0, 0.0, 0.0],
        "terminated": [True, False, False],
        "truncated": [False, False, True],
        "next_anchor": [None, "s", "s"],
    }
    steps = Steps.of(**columns)
    plain = estimate(steps, "backoff_lambda").parts["y"]
    bootstrapped = estimate(steps, "backoff_lambda", bootstrap_truncated=True).parts["y"]
    assert plain[2] == 0.0
    value = 10 / (2 - 0.95)
    np.testing.assert_allclose(bootstrapped[2], 0.95 * value, atol=1e-8)


def test_certified_keys_are_trusted_and_pooled_by_action() -> None:
    columns = walk(4, siblings=12)
    certified = Steps.of(**columns, state_is_markov=True)
    plain = estimate(certified, "backoff_markov", gamma=0.975, kappa_a=3.0, reward_scale=10.0)
    ours = estimate(certified, "backoff_doubt", gain=0.0, w_episode=0.0)
    np.testing.assert_allclose(ours.advantage, plain.advantage, atol=1e-8)
    assert ours.report["credit/mean_lambda"] == 0.0


def test_keys_that_merge_states_are_doubted() -> None:
    columns = walk(4, siblings=12)
    merged = Steps.of(**{**columns, "anchor": [0] * len(columns["task"]), "next_anchor": None})
    options = {"gain": 0.0, "w_episode": 0.0}
    doubting = estimate(merged, "backoff_doubt", **options)
    returns = estimate(merged, "backoff_lambda", kappa_a=3.0, **{"lambda": 1.0})
    assert doubting.report["credit/mean_lambda"] > 0.97
    np.testing.assert_allclose(doubting.advantage, returns.advantage, atol=0.1)
    halved = estimate(merged, "backoff_doubt", doubt=0.0, **options)
    assert 0.75 < halved.report["credit/mean_lambda"] < 0.85


def test_the_steepest_doubt_is_a_switch() -> None:
    columns = walk(5, siblings=6)
    credit = estimate(Steps.of(**columns), "backoff_doubt", doubt=1e4)
    assert np.isfinite(credit.advantage).all()


def test_a_state_met_once_is_credited_by_the_gain_in_value() -> None:
    steps = Steps.of(
        task=["t"] * 5,
        trajectory=[0, 0, 1, 1, 2],
        step=[0, 1, 0, 1, 0],
        anchor=["once", "good", "other", "good", "bad"],
        action=["go", "win", "go", "win", "lose"],
        reward=[0, 10, 0, 10, 0],
        terminated=[False, True, False, True, True],
    )
    silent = estimate(steps, "backoff_doubt", gain=0.0, w_episode=0.0)
    assert not silent.advantage.any()
    gains = estimate(steps, "backoff_doubt", w_episode=0.0).advantage
    assert gains[0] == gains[2] > gains[4]


def test_the_norms_of_other_estimators_are_understood() -> None:
    steps = Steps.of(**walk(6))
    for theirs, ours in (("mean_std", "level_std"), ("mean", "none")):
        got = estimate(steps, "backoff_lambda", norm=theirs).advantage
        np.testing.assert_array_equal(got, estimate(steps, "backoff_lambda", norm=ours).advantage)


@given(st.integers(0, 10_000), st.sampled_from(["row", "action"]))
@settings(deadline=None, max_examples=20, database=None)
def test_contrasts_cancel_at_every_node_of_every_level(seed: int, pool: Pool) -> None:
    rows = ordered(Steps.of(**fine_and_coarse(seed)))
    targets = np.random.default_rng(seed).normal(size=len(rows))
    for graph in nested_graphs(rows, ()):
        assert abs(graph.nodes.sum(contrast(graph, targets, pool))).max() < 1e-7


def test_a_tiny_floor_does_not_blow_up_what_the_solver_leaves() -> None:
    steps = Steps.of(**walk(9))
    even = Steps.of(**{**walk(9), "reward": [1.0] * len(steps), "state_is_markov": True})
    credit = estimate(even, "backoff_markov", floor=0.0, gamma=0.0)
    assert not credit.advantage.any()

from typing import Any

import numpy as np
import pytest

from gigym.grouping import Steps, estimate, ordered
from gigym.grouping.graph import SINK, graph_of, outcome_conflicts, successes


def make_steps(**changes: object) -> Steps:
    """Two siblings of one task that meet at b, and one of another that sees the same keys."""
    columns: dict[str, Any] = {
        "task": ["g", "g", "g", "g", "h"],
        "trajectory": [0, 0, 1, 1, 2],
        "step": [0, 1, 0, 1, 0],
        "anchor": ["a", "b", "a", "b", "a"],
        "next_anchor": ["b", None, "b", "a", "c"],
        "action": ["x", "y", "x", "z", "x"],
        "reward": [0.0, 10.0, 0.0, 0.0, 0.0],
        "terminated": [False, True, False, False, False],
        "truncated": [False, False, False, True, True],
    }
    columns.update(changes)
    return Steps.of(**columns)


def test_nodes_are_scoped_by_task_and_counted() -> None:
    graph = graph_of(ordered(make_steps()))
    assert graph.nodes.ids.tolist() == [0, 1, 0, 1, 2]
    assert graph.visits.tolist() == [2, 2, 1]
    assert graph.actions_at().tolist() == [1, 2, 1]
    assert graph.task_of_node.tolist() == [0, 0, 1]


def test_last_rows_lead_to_sinks_and_land_where_some_row_starts() -> None:
    graph = graph_of(ordered(make_steps()))
    assert graph.follow.tolist() == [1, SINK, 1, SINK, SINK]
    assert graph.landing.tolist() == [SINK, SINK, SINK, 0, SINK]


def test_success_is_a_terminated_end_with_a_positive_return() -> None:
    assert successes(ordered(make_steps())).tolist() == [True, False, False]


def test_two_outcomes_of_one_action_are_a_conflict() -> None:
    steps = make_steps(action=["x", "y", "x", "y", "x"])
    repeated, conflict = outcome_conflicts(ordered(steps))
    assert repeated.tolist() == [True, True, True, True, False]
    assert conflict.tolist() == [False, True, False, True, False]
    assert estimate(steps, "gigpo").report["credit/alias_rate_anchor"] == 0.5


def test_a_graph_estimator_says_so_when_its_key_is_not_the_state() -> None:
    steps = make_steps(action=["x", "y", "x", "y", "x"])
    (warning,) = estimate(steps, "crbc").warnings
    assert "'anchor' is not the state: 50%" in warning
    assert estimate(steps, "gigpo").warnings == ()
    certified = make_steps(action=["x", "y", "x", "y", "x"], state_is_markov=True)
    assert estimate(certified, "crbc").warnings == ()


def test_trusting_next_values_alone_wants_a_certificate() -> None:
    assert "state_is_markov" in estimate(make_steps(), "backoff_markov").warnings[0]
    assert estimate(make_steps(state_is_markov=True), "backoff_markov").warnings == ()


def test_different_admissible_actions_under_one_key_are_reported() -> None:
    steps = make_steps(labels={"admissible": ["1", "2", "1", "3", "1"]})
    report = estimate(steps, "gigpo").report
    assert report["credit/admissible_conflict_anchor"] == pytest.approx(0.4)


def test_ways_to_succeed_are_counted_once_each() -> None:
    steps = Steps.of(
        task=["g"] * 4,
        trajectory=[0, 1, 2, 3],
        step=[0] * 4,
        anchor=["s"] * 4,
        action=["p", "p", "q", "r"],
        reward=[1.0, 1.0, 1.0, 0.0],
    )
    report = estimate(steps, "gigpo").report
    assert report["credit/unique_successes"] == 2
    assert report["credit/balance"] == pytest.approx(0.5)
    assert report["credit/success_share"] == 0.75


def test_residuals_of_a_node_cancel_so_graph_gae_would_add_nothing() -> None:
    size = 4
    steps = Steps.of(
        task=["g"] * 2 * size,
        trajectory=np.repeat(np.arange(size), 2),
        step=[0, 1] * size,
        anchor=["A", "B"] * size,
        action=["go", "p"] * 3 + ["go", "q"],
        reward=[0.0, 1.0] * 3 + [0.0, 0.0],
    )
    credit = estimate(steps, "graft", gamma=0.99)
    np.testing.assert_allclose(credit.parts["V"][:2], [0.735075, 0.7425])
    np.testing.assert_allclose(credit.parts["td"][[1, 7]], [0.2475, -0.7425])
    assert abs(credit.parts["td"][[1, 3, 5, 7]].sum()) < 1e-12

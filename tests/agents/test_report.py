"""Rollout metrics are what their names say."""

from dataclasses import replace

import numpy as np
import pytest

from gigym.agents import rollout_metrics
from gigym.grouping.types import Group, Stop, Trajectory, Turn


def turn(**given: object) -> Turn:
    base: dict[str, object] = {
        "anchor": "a", "keys": ("a",), "state_key": None, "observation_key": "o", "action_key": "k",
        "row": 0, "start": 4, "stop": 6, "logprobs": np.zeros(2, np.float32),
        "weight_versions": (("0", 0, 2),), "finish_reason": "stop", "reward": 1.0,
        "terminated": False, "truncated": False, "valid": True, "admissible": True, "reason": "ok",
        "observation": "", "text": "", "action": "x",
    }  # fmt: skip
    return Turn(**{**base, **given})  # pyright: ignore[reportArgumentType]


def test_metrics_are_shares_of_what_they_say() -> None:
    turns = (
        turn(),
        turn(valid=False, admissible=None, reason="empty", start=10, stop=11),
        turn(admissible=False, start=20, stop=24, reward=2.0),
    )
    rows = (np.zeros(24, np.int32),)
    won = Trajectory(
        task="t", index=0, rows=rows, turns=turns, final_anchor="z", stop=Stop.DONE, success=True
    )
    short = replace(won, index=1, turns=turns[:1], stop=Stop.TURN_LIMIT, success=False)
    lost = replace(won, index=2, stop=Stop.ENV_ERROR)
    metrics = rollout_metrics([Group(task="t", trajectories=(won, short), failures=(lost,))])
    assert metrics["rollout/success"] == 0.5
    assert metrics["rollout/return_mean"] == 2.5
    assert metrics["rollout/turns"] == 2.0
    assert metrics["rollout/invalid_share"] == metrics["rollout/invalid/empty"] == 0.25
    assert metrics["rollout/inadmissible_share"] == pytest.approx(1 / 3)
    assert metrics["rollout/truncated_share"] == metrics["rollout/truncated/TURN_LIMIT"] == 0.5
    assert metrics["rollout/failed_share"] == pytest.approx(1 / 3)
    assert metrics["rollout/tokens_sampled"] == 9.0
    assert metrics["rollout/prompt_max"] == 20.0


def test_metrics_of_nothing_are_finite() -> None:
    assert set(rollout_metrics([]).values()) == {0.0}

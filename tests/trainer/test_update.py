"""From groups to optimiser steps: which groups are compared, what the report says."""

from dataclasses import replace

import numpy as np
import pytest

from gigym.grouping import Group, Stop, Trajectory
from gigym.trainer.update import comparable, report_of


def episode(index: int, stop: Stop = Stop.DONE) -> Trajectory:
    row = (np.arange(3, dtype=np.int32),)
    return Trajectory(task="t", index=index, rows=row, turns=(), final_anchor=None, stop=stop)


def test_a_sibling_alone_is_compared_with_nobody_and_kept_among_the_failures() -> None:
    lost = episode(1, Stop.ENV_ERROR)
    whole = Group(task="t", trajectories=(episode(0), episode(2)), failures=(lost,))
    alone = replace(whole, trajectories=(episode(0),))
    kept, dropped = comparable((whole, alone))
    assert kept is whole
    assert dropped.trajectories == ()
    assert [e.index for e in dropped.failures] == [0, 1]


def test_a_mini_batch_without_credit_does_not_dilute_the_others() -> None:
    empty = {"grad_norm": 0.0, "skipped": 0.0}
    full = {"grad_norm": 2.0, "skipped": 0.0, "kl": 0.5, "drift_max": 0.1, "entropy": 1.0}
    report = report_of([empty, full])
    assert report["loss/entropy"] == 1.0
    assert report["loss/grad_norm"] == pytest.approx(1.0)
    assert "mismatch/kl" not in report
    assert report_of([full, empty])["mismatch/kl"] == 0.5
    assert report_of([]) == {}

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from gigym import GigymError
from gigym.grouping import (
    BadEstimatorOption,
    Ordered,
    Parts,
    Steps,
    UnknownEstimator,
    UnknownLevel,
    estimate,
    estimator,
    estimator_names,
    estimator_options,
)
from gigym.grouping.estimators import Share, registry


@pytest.fixture
def steps() -> Steps:
    return Steps.of(
        task=["g", "g"], trajectory=[0, 1], step=[0, 0], anchor=["s", "s"], reward=[0.0, 1.0]
    )


def test_an_unknown_estimator_is_named_with_the_nearest(steps: Steps) -> None:
    with pytest.raises(UnknownEstimator, match="did you mean 'gigpo'"):
        estimate(steps, "gipgo")


def test_an_unknown_option_is_named_with_the_nearest(steps: Steps) -> None:
    with pytest.raises(BadEstimatorOption, match=r"no option 'gama'; did you mean 'gamma'\?"):
        estimate(steps, "gigpo", gama=0.9)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("gamma", 1.5, "at least 0 and at most 1"),
        ("gamma", float("nan"), "a finite number"),
        ("gamma", True, "a finite number"),
        ("gamma", "0.9", "a finite number"),
        ("norm", "std", "one of 'mean', 'mean_std'"),
        ("min_trajectories", 1.5, "a whole number"),
        ("backoff", "anchor", "a sequence of names"),
        ("backoff", [1], "a sequence of names"),
        ("compat", "trl", "one of 'verl-agent' or None"),
    ],
)
def test_a_value_that_does_not_fit_says_what_would(
    steps: Steps, option: str, value: object, expected: str
) -> None:
    with pytest.raises(BadEstimatorOption, match=expected):
        estimate(steps, "gigpo", **{option: value})


def test_options_that_contradict_each_other_are_refused(steps: Steps) -> None:
    with pytest.raises(BadEstimatorOption, match="verl-agent"):
        estimate(steps, "gigpo", compat="verl-agent", penalty_scope="propagated")


def test_a_level_that_the_rows_lack_is_named(steps: Steps) -> None:
    with pytest.raises(UnknownLevel, match="no key level 'anchr'; did you mean 'anchor'"):
        estimate(steps, "gigpo", backoff=["anchr"])


def test_numpy_scalars_are_good_options(steps: Steps) -> None:
    credit = estimate(steps, "gigpo", gamma=np.float32(0.5), min_trajectories=np.int64(2))
    assert credit.advantage.tolist() == estimate(steps, "gigpo", gamma=0.5).advantage.tolist()


def test_every_estimator_runs_with_its_defaults(steps: Steps) -> None:
    for name in estimator_names():
        assert np.isfinite(estimate(steps, name).advantage).all(), name


def test_the_options_of_an_estimator_are_listed() -> None:
    assert {"gamma", "omega", "norm", "invalid_penalty"} <= set(estimator_options("gigpo"))
    with pytest.raises(UnknownEstimator):
        estimator_options("gpo")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstVisit:
    """Options of the estimator that a user adds below."""

    lambda_: Share = 0.5


@pytest.fixture
def first_visit() -> Iterator[str]:
    @estimator("first_visit")
    def first_visit(rows: Ordered, options: FirstVisit) -> Parts:
        pay = options.lambda_ * (rows.position == 0)
        return Parts(advantage=pay, episode=pay, step=0 * pay, returns=pay, groups=rows.nodes())

    yield "first_visit"
    registry._ENTRIES.pop("first_visit")


def test_a_user_adds_an_estimator_with_a_decorated_function(steps: Steps, first_visit: str) -> None:
    assert estimate(steps, first_visit, **{"lambda": 0.25}).advantage.tolist() == [0.25, 0.25]
    assert estimator_options(first_visit) == ("lambda",)


def test_a_name_is_not_taken_twice(first_visit: str) -> None:
    with pytest.raises(BadEstimatorOption, match="'first_visit' is taken by"):

        @estimator(first_visit)
        def another(rows: Ordered, options: FirstVisit) -> Parts:
            raise NotImplementedError


def test_errors_are_gigym_errors_and_pickle() -> None:
    for kind in (UnknownEstimator, BadEstimatorOption, UnknownLevel):
        error = pickle.loads(pickle.dumps(kind("text")))  # noqa: S301 - our own bytes
        assert isinstance(error, GigymError)
        assert str(error) == "text"


def test_the_room_needs_neither_torch_nor_an_environment() -> None:
    code = (
        "import sys, gigym.grouping; "
        "print([m for m in ('torch', 'gymnasium', 'gigym.envs') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"

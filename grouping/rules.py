"""The rules of the vector files that are built here, as `input, options -> outputs`.

Everything in the files' `rules` that is missing from `RULES` has no implementation in this
package; `vectors.check` reports it as not built.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .allocate import allocate, group_value
from .groups import Groups
from .report import balance_score
from .steps import Steps
from .transforms import (
    best_of,
    canon_advantages,
    episodic_novelty,
    generalised_advantages,
    ngrpo_advantages,
    surprise_ratios,
    xrpo_advantages,
)
from .types import FloatRows

Values = Mapping[str, Any]
Outputs = dict[str, Any]


def _ngrpo(given: Values, options: Values) -> Outputs:
    rewards = _floats(given["rewards"])
    return {"A": ngrpo_advantages(rewards, _one_group(rewards), options["m"], options["r_max"])}


def _canon(given: Values, options: Values) -> Outputs:
    rewards, metric = _floats(given["rewards"]), _floats(given["metric"])
    return {"A": canon_advantages(rewards, metric, _one_group(rewards), options["mu"])}


def _egae(given: Values, options: Values) -> Outputs:
    values = _floats(given["V"])
    after = given.get("V_after", values[-1])
    rewards = _floats(given["rewards"])
    return {"A": generalised_advantages(rewards, values, after, options["gamma"], options["lam"])}


def _knapsack(given: Values, options: Values) -> Outputs:
    chances: list[float] = given["p"]
    rollouts = allocate(
        chances,
        options["budget"],
        cost=given.get("cost"),
        n_low=options["n_low"],
        n_up=options["n_up"],
    )
    even = options["budget"] // len(chances)
    pairs = zip(rollouts.tolist(), chances, strict=True)
    return {
        "N": rollouts,
        "value": sum(group_value(n, p) for n, p in pairs),
        "value_uniform": sum(group_value(even, p) for p in chances),
    }


def _pav(given: Values, options: Values) -> Outputs:
    potential = best_of(_floats(given["V"]), options["best_of"])
    return {"rewards": _floats(given["rewards"]) + options["alpha"] * np.diff(potential)}


def _novelty(given: Values, options: Values) -> Outputs:
    keys: list[str] = given["keys"]
    steps = Steps.of(
        task=[0] * len(keys),
        trajectory=[0] * len(keys),
        step=range(len(keys)),
        anchor=keys,
        reward=[0.0] * len(keys),
    )
    novelty = episodic_novelty(steps)
    return {"episodic": options["beta"] * novelty, "first_visit": 1 * (novelty == 1.0)}


def _xrpo(given: Values, options: Values) -> Outputs:
    mean_logprob, advantage = _floats(given["mean_logprob"]), _floats(given["A"])
    eta = surprise_ratios(mean_logprob, _one_group(mean_logprob))
    raised = xrpo_advantages(advantage, eta, options["lambda_n"], options["kappa"])
    return {"eta": eta, "A": raised}


def _bstar(given: Values, options: Values) -> Outputs:
    score = balance_score(given["unique_correct"], given["selected"], options["target"])
    return {"value": score}


RULES: Mapping[str, Callable[[Values, Values], Outputs]] = {
    "ngrpo": _ngrpo,
    "canon": _canon,
    "egae": _egae,
    "knapsack": _knapsack,
    "knapsack_cost": _knapsack,
    "pav": _pav,
    "novelty": _novelty,
    "bstar": _bstar,
    "xrpo_novelty": _xrpo,
}


def _floats(values: object) -> FloatRows:
    return np.asarray(values, dtype=np.float64)


def _one_group(values: FloatRows) -> Groups:
    return Groups(ids=np.zeros(len(values), np.int64), count=1)

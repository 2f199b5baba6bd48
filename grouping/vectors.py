"""Conformance: recorded credit against what this package computes.

`load(path)` reads a vector file into cases; `check(case)` runs a case through `Steps.of` and
`estimate` and returns every difference beyond the file's tolerance, an empty list when there is
none. What has no check here is returned as one difference that says `not built`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from .cases import Block, Case, load, steps_of
from .errors import BadEstimatorOption
from .estimators import estimate, estimator_names, estimator_options
from .facts import Facts, alias_facts, group_facts, key_facts, similarity_facts
from .rules import RULES
from .steps import Steps
from .types import Credit, FloatRows

__all__ = ["Block", "Case", "Difference", "check", "load", "steps_of"]

NOT_BUILT = "not built"
_CREDIT = {"A": "advantage", "A_E": "episode", "A_S": "step"}
_REMARKS = ("report", "noise_rows_E", "noise_rows_S", "noise_max", "rows_used")
_FIXED_POINTS = (
    "graft",
    "crbc",
    "crbc_raw",
    "backoff_lambda",
    "backoff_markov",
    "backoff_doubt",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One number that is not what the file says."""

    case: str
    where: str
    """Block, quantity and row."""
    expected: object
    got: object

    def __str__(self) -> str:
        return f"{self.case}, {self.where}: expected {self.expected}, got {self.got}"


def check(case: Case) -> list[Difference]:
    """Every difference of a case beyond its tolerance."""
    if case.kind == "rows":
        return _check_rows(case, case.steps())
    if case.kind == "keys":
        return _check_content(case, key_facts(case.content))
    if case.kind == "similarity":
        return _check_content(case, similarity_facts(case.content))
    if case.kind in RULES:
        outputs = RULES[case.kind](case.content["input"], case.content["options"])
        return _check_outputs(case, outputs)
    return [Difference(case=case.id, where=case.kind, expected="a check", got=NOT_BUILT)]


def _check_outputs(case: Case, outputs: Mapping[str, Any]) -> list[Difference]:
    """Numbers of a rule within 1e-8, each output that the case names."""
    found: list[Difference] = []
    for name, value in case.content["expected"].items():
        got = np.asarray(outputs[name], dtype=np.float64)
        if not np.allclose(got, np.asarray(value, dtype=np.float64), rtol=1e-8, atol=1e-8):
            found.append(Difference(case=case.id, where=name, expected=value, got=got.tolist()))
    return found


def _check_rows(case: Case, steps: Steps) -> list[Difference]:
    alias = case.content.get("alias", {})
    found = _check_facts(case, "alias", alias, alias_facts(steps, list(alias)))
    found += _check_extra(case, steps)
    for number, block in enumerate(case.expected):
        found += _check_block(case, steps, f"block {number} {block.estimator}", block)
    return found


def _check_content(case: Case, facts: Facts) -> list[Difference]:
    """The facts that the case states, against those computed; no order may matter."""
    nothing: list[object] = []
    stated = {"order_dependent": nothing, **case.content}
    return [
        difference
        for name, value in facts.items()
        if name in stated
        for difference in _check_facts(case, name, stated[name], value)
    ]


def _check_block(case: Case, steps: Steps, where: str, block: Block) -> list[Difference]:
    if block.estimator not in estimator_names():
        return [Difference(case=case.id, where=where, expected="an estimator", got=NOT_BUILT)]
    options = dict(block.options)
    if "invalid_penalty" in estimator_options(block.estimator):
        options.setdefault("invalid_penalty", 0.0)
    try:
        credit = estimate(steps, block.estimator, **options)
    except BadEstimatorOption as refusal:
        return [Difference(case=case.id, where=where, expected="credit", got=str(refusal))]
    report = block.arrays.get("report", {})
    found = _check_facts(case, f"{where} report", report, group_facts(steps) if report else {})
    for name in block.arrays:
        if name not in _REMARKS:
            expected = _expected(block, name)
            got = _quantity(case, steps, credit, name)
            if block.options.get("compat"):
                got = got[steps.weight]
            found += _compare(case, f"{where} {name}", block, expected, got)
    return found


def _compare(
    case: Case, where: str, block: Block, expected: FloatRows, got: FloatRows
) -> list[Difference]:
    if got.shape != expected.shape:
        return [Difference(case=case.id, where=where, expected=expected.shape, got=got.shape)]
    absolute, relative = _tolerance(case, block)
    off = abs(got - expected) > absolute + relative * abs(expected)
    rows = np.flatnonzero((off | np.isnan(got)) & ~np.isnan(expected))
    return [
        Difference(
            case=case.id,
            where=f"{where}[{row}]",
            expected=float(expected[row]),
            got=float(got[row]),
        )
        for row in rows.tolist()
    ]


def _tolerance(case: Case, block: Block) -> tuple[float, float]:
    """Absolute and relative tolerance, as the files state them."""
    if block.options.get("compat"):
        return (1e-3 if block.options.get("norm") == "mean_std" else 2e-5), 0.0
    if case.source == "gigpo-vectors/1":
        return 1e-9, 1e-9
    return (1e-6, 0.0) if block.estimator in _FIXED_POINTS else (1e-8, 1e-8)


def _expected(block: Block, name: str) -> FloatRows:
    """The file's numbers; recorded float32 noise becomes 0, or NaN where it hides in a sum."""
    values = np.array(block.arrays[name], dtype=np.float64)
    noise = {level: block.arrays.get(f"noise_rows_{level}", []) for level in "ES"}
    if name in ("A_E", "A_S"):
        values[noise[name[-1]]] = 0.0
    if name == "A":
        values[[*noise["E"], *noise["S"]]] = np.nan
    return values


def _quantity(case: Case, steps: Steps, credit: Credit, name: str) -> FloatRows:
    """The computed numbers under the file's name; all NaN where there are none."""
    if name == "token_advantages":
        return np.repeat(credit.advantage, cast("Sequence[int]", case.rows["num_tokens"]))
    if name in credit.parts:
        return credit.parts[name]
    field = _CREDIT.get(name, name)
    if field not in ("advantage", "episode", "step", "returns", "step_group"):
        return np.full(len(steps), np.nan)
    return np.asarray(getattr(credit, field), dtype=np.float64)


def _check_facts(case: Case, where: str, expected: object, got: object) -> list[Difference]:
    """Compare facts that may be nested; numbers within 1e-9 or the file's six digits."""
    if isinstance(expected, dict):
        inner = cast("dict[str, object]", expected)
        found = cast("dict[str, object]", got) if isinstance(got, dict) else {}
        return [
            difference
            for name, value in inner.items()
            for difference in _check_facts(case, f"{where} {name}".strip(), value, found.get(name))
        ]
    if isinstance(expected, float) and isinstance(got, int | float):
        same = abs(expected - got) <= 1e-9 * max(1.0, abs(expected))
    else:
        same = expected == got
    return [] if same else [Difference(case=case.id, where=where, expected=expected, got=got)]


def _check_extra(case: Case, steps: Steps) -> list[Difference]:
    """A second estimate on the same rows: the Bellman solution of V11."""
    if "extra" not in case.content:
        return []
    extra = case.content["extra"]
    if extra["estimator"] != "bellman":
        return [Difference(case=case.id, where="extra", expected="a check", got=NOT_BUILT)]
    credit = estimate(steps, "crbc_raw", **extra["options"])
    found = _check_facts(case, "extra advantage", extra["advantage"], credit.advantage.tolist())
    for row, key in enumerate(case.rows["anchor"]):
        where, value = f"extra V[{row}]", float(credit.parts["V"][row])
        found += _check_facts(case, where, float(extra["V"][key]), value)
        wanted = [q for s, a, q in extra["Q"] if (s, a) == (key, case.rows["action"][row])]
        got = value + float(credit.advantage[row])
        found += _check_facts(case, f"extra Q[{row}]", float(wanted[0]), got)
    return found

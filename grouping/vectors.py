"""Conformance: recorded credit against what this package computes.

`load(path)` reads a vector file into cases; `check(case)` runs a case through `Steps.of` and
`estimate` and returns every difference beyond the file's tolerance, an empty list when there is
none. What has no check here is returned as one difference that says `not built`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from .cases import Block, Case, load, steps_of
from .errors import BadKey
from .estimators import estimate, estimator_names, estimator_options
from .keys import reference_key, structured_key
from .ordered import ordered
from .report import group_sizes
from .steps import Steps
from .types import Credit, FloatRows

__all__ = ["Block", "Case", "Difference", "check", "load", "steps_of"]

NOT_BUILT = "not built"
_CREDIT = {"A": "advantage", "A_E": "episode", "A_S": "step"}
_REMARKS = ("report", "noise_rows_E", "noise_rows_S", "noise_max", "rows_used")
_FIXED_POINTS = ("graft", "crbc", "backoff_lambda")


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
        steps = case.steps()
        return [
            difference
            for number, block in enumerate(case.expected)
            for difference in _check_block(case, steps, f"block {number} {block.estimator}", block)
        ]
    if case.kind == "keys":
        return _check_keys(case)
    return [Difference(case=case.id, where=case.kind, expected="a check", got=NOT_BUILT)]


def _check_block(case: Case, steps: Steps, where: str, block: Block) -> list[Difference]:
    if block.estimator not in estimator_names():
        return [Difference(case=case.id, where=where, expected="an estimator", got=NOT_BUILT)]
    options = dict(block.options)
    if "invalid_penalty" in estimator_options(block.estimator):
        options.setdefault("invalid_penalty", 0.0)
    credit = estimate(steps, block.estimator, **options)
    found = _check_report(case, steps, where, block)
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


def _check_report(case: Case, steps: Steps, where: str, block: Block) -> list[Difference]:
    if "report" not in block.arrays:
        return []
    rows = ordered(steps)
    groups = rows.nodes()
    sizes = group_sizes(groups)
    got = {
        "rows": len(rows),
        "step_groups": groups.count,
        "mean_group_size": len(rows) / max(groups.count, 1),
        "group_size_histogram": {str(size): count for size, count in sizes.items()},
        "singleton_groups": sizes.get(1, 0),
        "rows_with_two_or_more_trajectories": int(
            (rows.trajectories_in(groups) >= 2)[groups.ids].sum()
        ),
    }
    return [
        Difference(case=case.id, where=f"{where} report {name}", expected=value, got=got.get(name))
        for name, value in block.arrays["report"].items()
        if not _same(value, got.get(name))
    ]


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, float) and isinstance(got, int | float):
        return abs(expected - got) <= 1e-9 * max(1.0, abs(expected))
    return expected == got


def _check_keys(case: Case) -> list[Difference]:
    """Typed keys tell apart exactly the expected classes; the reference's merge more."""
    values = cast("list[object]", case.content["values"])
    classes = _classes([structured_key(value) for value in values])
    refused = [i for i, value in enumerate(values) if not _has_reference_key(value)]
    merged = _merges([i for i in range(len(values)) if i not in refused], values)
    got = {
        "expected_classes": classes,
        "reference_merges": merged,
        "reference_rejects": refused,
    }
    return [
        Difference(case=case.id, where=name, expected=case.content[name], got=found)
        for name, found in got.items()
        if name in case.content and case.content[name] != found
    ]


def _classes(keys: list[str]) -> list[int]:
    index = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return [index[key] for key in keys]


def _has_reference_key(value: object) -> bool:
    try:
        reference_key(value)
    except BadKey:
        return False
    return True


def _merges(rows: list[int], values: list[object]) -> list[list[int]]:
    together: dict[object, list[int]] = {}
    for row in rows:
        together.setdefault(reference_key(values[row]), []).append(row)
    return [members for members in together.values() if len(members) > 1]

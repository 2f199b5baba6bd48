"""Credit quality: estimated advantages against exact ones, in worlds small enough to solve.

For every estimator, key and group size: how much one policy step along the estimated gradient
gains, as a share of the step along the exact gradient (`dJ`), the cosine of the two, and how the
estimate agrees with the exact advantage row by row. Policies are tables, the step has a fixed
norm; the family of worlds is narrow. What is compared is bias and variance of credit, not
training runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..grouping import estimate
from .sampling import SETTINGS, TASKS, Batch, Setting, sample
from .worlds import REWARD, Table, expected_return

STEP_NORM = 0.5
METRICS = ("dJ", "gcos", "pearson", "spearman", "sign", "nMSE")

Scores = dict[str, Table]
"""Per method, an array (seed, metric)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row of the table: an estimator, its options, and the part of its credit that counts."""

    estimator: str
    options: Mapping[str, object]
    step_only: bool = False


def _backoff(lambda_: float, **options: object) -> Method:
    chosen = {"lambda": lambda_, "reward_scale": REWARD, "norm": "none", **options}
    return Method(estimator="backoff_lambda", options=chosen)


METHODS: Mapping[str, Method] = {
    "grpo": Method(estimator="grpo", options={"norm": "mean_std"}),
    "gigpo A_S, mean": Method(
        estimator="gigpo", options={"norm": "mean", "invalid_penalty": 0.0}, step_only=True
    ),
    "gigpo, mean_std": Method(estimator="gigpo", options={"invalid_penalty": 0.0}),
    "hgpo K=2": Method(estimator="hgpo", options={}),
    "salt": Method(estimator="salt", options={}),
    "graphgpo w=.1": Method(estimator="graphgpo", options={}, step_only=True),
    "rewardflow": Method(estimator="rewardflow", options={"episode_weighting": "trajectory"}),
    "g2po": Method(estimator="g2po", options={"episode_weighting": "trajectory"}),
    "graft": Method(estimator="graft", options={}),
    "crbc": Method(estimator="crbc", options={}),
    "crbc Q-V": Method(estimator="crbc_raw", options={}),
    "rtmc": Method(estimator="rtmc", options={}),
    "backoff .5, none": _backoff(0.5),
    "backoff .8, none": _backoff(0.8),
    "backoff .9, none": _backoff(0.9),
    "backoff .8": _backoff(0.8, norm="level_std"),
    "backoff_doubt": Method(estimator="backoff_doubt", options={"reward_scale": REWARD}),
    "backoff_markov": Method(estimator="backoff_markov", options={}),
}
OURS = "backoff_doubt"
PUBLISHED = tuple(name for name in METHODS if not name.startswith("backoff"))
"""Methods that others published, whatever part of their credit is scored."""


def run(*, quick: bool) -> dict[str, Any]:
    """One row per setting, group size and method: means over seeds, 95 % intervals of dJ."""
    seeds = range(5000, 5002) if quick else range(5000, 5010)
    settings = SETTINGS[:3] if quick else SETTINGS
    columns = {
        (setting, siblings): scores_of(setting, siblings, seeds)
        for setting in settings
        for siblings in ((8,) if quick else (8, 32))
    }
    rows = [row for column, scores in columns.items() for row in _rows(*column, scores)]
    notes = [
        f"{len(seeds)} seeds, {TASKS} tasks per batch; dJ = 1.00 is the exact gradient; "
        "intervals are 1.96 standard errors over seeds",
        "single-level methods use the key of the setting's name, of 'history' the last feedback",
        "tables favour low bias; one step of fixed norm, no clipping: no claim about training runs",
        *_verdicts(columns),
    ]
    if not quick:
        notes.append(f"chart: {_chart(rows, Path('runs') / 'bench-credit.png')}")
    return {"name": "credit", "rows": rows, "notes": notes}


def scores_of(setting: Setting, siblings: int, seeds: range) -> Scores:
    """Every method on the same batches."""
    batches = [sample(setting, siblings, seed) for seed in seeds]
    return {
        label: np.array([score(batch, method) for batch in batches])
        for label, method in METHODS.items()
    }


def _rows(setting: Setting, siblings: int, scores: Scores) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for label, values in scores.items():
        mean, error = values.mean(axis=0), _interval(values[:, 0])
        figures = {name: round(float(m), 3) for name, m in zip(METRICS, mean, strict=True)}
        found.append(
            {
                "setting": setting.name,
                "N": siblings,
                "method": label,
                **figures,
                "dJ_low": round(float(mean[0]) - error, 3),
                "dJ_high": round(float(mean[0]) + error, 3),
            }
        )
    return found


def _interval(values: Table) -> float:
    """Half of the 95 % interval of a mean over seeds."""
    return float(1.96 * values.std(ddof=1) / np.sqrt(len(values)))


def score(batch: Batch, method: Method) -> list[float]:
    """The metrics of one method on one batch, in the order of `METRICS`."""
    credit = estimate(batch.steps, method.estimator, **method.options)
    estimated = credit.step if method.step_only else credit.advantage
    gradient = np.zeros_like(batch.gradient)
    np.add.at(gradient, (batch.task, batch.state, batch.action), estimated)
    policies = np.stack([task.policy for task in batch.tasks])
    gradient -= policies * gradient.sum(axis=2, keepdims=True)
    gain, best = _gain(batch, gradient), _gain(batch, batch.gradient)
    return [gain / best, _cosine(gradient, batch.gradient), *_agreement(batch.truth, estimated)]


def _gain(batch: Batch, direction: Table) -> float:
    """Exact gain in expected return of one logit step of fixed norm along a direction."""
    norm = float(np.linalg.norm(direction))
    if norm == 0.0:
        return 0.0
    step = STEP_NORM * np.sqrt(TASKS) * direction / norm
    total = 0.0
    for task, move in zip(batch.tasks, step, strict=True):
        moved = task.policy * np.exp(move)
        changed = replace(task, policy=moved / moved.sum(axis=1, keepdims=True))
        total += expected_return(changed) - expected_return(task)
    return total


def _agreement(truth: Table, estimated: Table) -> tuple[float, float, float, float]:
    """Pearson, Spearman, sign accuracy where it matters, error after the best scaling."""
    size = float(estimated @ estimated)
    scale = float(truth @ estimated) / size if size else 0.0
    error = float(((truth - scale * estimated) ** 2).mean() / (truth**2).mean())
    clear = (abs(truth) > 0.1) & (estimated != 0)
    sign = float((np.sign(truth) == np.sign(estimated))[clear].mean()) if clear.any() else 0.5
    centred = (truth - truth.mean(), estimated - estimated.mean())
    ranks = tuple(rank - rank.mean() for rank in (_ranks(truth), _ranks(estimated)))
    return _cosine(*centred), _cosine(*ranks), sign, error


def _ranks(values: Table) -> Table:
    """Ranks with ties at their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2.0)[inverse.reshape(-1)]


def _cosine(left: Table, right: Table) -> float:
    norm = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float((left * right).sum()) / norm if norm else 0.0


def _verdicts(columns: Mapping[tuple[Setting, int], Scores]) -> list[str]:
    """Where ours stands, by differences of dJ on the same batches."""
    lost: list[str] = []
    close: list[str] = []
    behind: list[str] = []
    for (setting, siblings), scores in columns.items():
        name = f"{setting.name}, N={siblings}"
        ours = scores[OURS][:, 0]
        gain = ours - scores["gigpo A_S, mean"][:, 0]
        if gain.mean() < 0:
            lost.append(f"{name} (by {-gain.mean():.3f})")
        elif gain.mean() < _interval(gain):
            close.append(name)
        best = max(PUBLISHED, key=lambda label: float(scores[label][:, 0].mean()))
        gap = scores[best][:, 0] - ours
        if gap.mean() > _interval(gap):
            behind.append(f"{name} ({best} by {gap.mean():.3f})")
    total = len(columns)
    return [
        f"ours is {OURS} with its defaults",
        _listed(f"ours is behind GiGPO's step term in {len(lost)} of {total} columns", lost),
        _listed(f"ahead of it by less than the interval in {len(close)}", close),
        _listed(f"behind the best published method beyond the interval in {len(behind)}", behind),
    ]


def _listed(claim: str, columns: list[str]) -> str:
    return claim + (": " + "; ".join(columns) if columns else "")


def _chart(rows: list[dict[str, Any]], path: Path) -> str:
    """Bars of dJ per setting at the larger N, written as PNG; a reason where it cannot be."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return "not drawn, matplotlib is missing: pip install 'gigym[report]'"
    largest = max(row["N"] for row in rows)
    shown = [row for row in rows if row["N"] == largest]
    settings = list(dict.fromkeys(row["setting"] for row in shown))
    figure = Figure(figsize=(12, 2.6 * len(settings)), layout="constrained")
    for axes, setting in zip(np.atleast_1d(figure.subplots(len(settings))), settings, strict=True):
        bars = [row for row in shown if row["setting"] == setting]
        errors = [row["dJ_high"] - row["dJ"] for row in bars]
        axes.bar([row["method"] for row in bars], [row["dJ"] for row in bars], yerr=errors)
        axes.set_title(f"{setting}, N = {largest}: gain of a step / gain along the exact gradient")
        axes.set_ylim(0.0, 1.0)
        axes.tick_params(axis="x", rotation=30)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    return str(path)

"""Diagnostics of one batch of credit: flat floats under the names `credit/...`.

They say how many rows could be compared (group sizes, rows that meet another trajectory), what
the key is worth as a baseline (leave-one-trajectory-out R^2), how large each part of the
advantage is, and how often a key hides or splits states.
"""

from collections.abc import Mapping

import numpy as np

from .graph import alias_rate, successes
from .groups import Groups, group_by
from .ordered import Ordered
from .parts import Parts
from .steps import Steps
from .types import BoolRows, FloatRows

Statistics = Mapping[str, float]

ALIAS_LIMIT = 0.05
"""Share of conflicting rows above which a key should not be bootstrapped on."""

_SIZE_BINS = (1, 2, 4, 8, 16, 32, 64)


def report(steps: Steps, rows: Ordered, parts: Parts) -> Statistics:
    """Every diagnostic that the columns allow; empty batches give zeros."""
    visits = group_by(parts.groups.ids, rows.trajectory.ids)
    figures = {
        **_group_statistics(rows, parts.groups, visits),
        **_credit_statistics(steps, rows, parts),
        **_baseline_fit(rows, parts, visits),
        **_label_conflicts(steps, rows),
        **_aliases(steps, rows),
        **_successes(steps, rows),
        **parts.figures,
        "generated_rows": float(len(steps)),
        "trained_rows": float(len(rows)),
        "odd_starts": float(steps.odd_starts),
    }
    return {f"credit/{name}": value for name, value in figures.items()}


def cautions(steps: Steps, rows: Ordered, parts: Parts, statistics: Statistics) -> tuple[str, ...]:
    """Why an estimator that trusts next values may mislead on these keys."""
    found: list[str] = []
    if parts.compares_actions and len(rows) and not steps.has_actions:
        found.append(
            "the rows carry no actions, so no step can be told from another at its state and the "
            "step part is 0; hand Steps.of the column action, or use gigpo"
        )
    if steps.state_is_markov:
        return tuple(found)
    for name in parts.bootstraps:
        level = rows.level(name).name
        rate = statistics.get(f"credit/alias_rate_{level}", 0.0)
        if rate > ALIAS_LIMIT:
            found.append(
                f"key level {level!r} is not the state: {rate:.0%} of the rows in repeated "
                f"(key, action) pairs had more than one outcome (or the world is random); prefer "
                f"finer levels, a larger lambda, or gigpo"
            )
    if parts.needs_certificate:
        found.append(
            "lambda below 0.5 trusts that equal keys have equal futures, which the environment "
            "does not certify (state_is_markov); prefer lambda 0.8"
        )
    return tuple(found)


def balance_score(unique_correct: int, selected: int, target: float) -> float:
    """B-STaR's balance of exploration and exploitation: min(n' / n*, 1) * n' / n."""
    if selected == 0:
        return 0.0
    return min(unique_correct / target, 1.0) * unique_correct / selected


def group_sizes(groups: Groups) -> dict[int, int]:
    """How many groups there are of each size."""
    sizes, counts = np.unique(groups.sizes, return_counts=True)
    return dict(zip(sizes.tolist(), counts.tolist(), strict=True))


def _group_statistics(rows: Ordered, groups: Groups, visits: Groups) -> dict[str, float]:
    """How many rows have something to be compared with; `visits` are (group, trajectory) pairs."""
    sizes = groups.sizes
    meeting = groups.varied(rows.trajectory.ids)
    figures = {
        "step_groups": float(groups.count),
        "mean_group_size": _ratio(len(rows), groups.count),
        "singleton_share": _share(sizes[groups.ids] == 1),
        "two_trajectory_share": _share(meeting[groups.ids]),
        "repeat_share": _ratio(len(rows) - visits.count, len(rows)),
        "invalid_share": _share(~rows.valid),
        "truncated_share": _share((rows.truncated & ~rows.terminated)[rows.last]),
    }
    bins = np.searchsorted(_SIZE_BINS, sizes)
    for i, count in enumerate(np.bincount(bins, minlength=len(_SIZE_BINS) + 1).tolist()):
        figures[f"group_size_hist/{_bin_name(i)}"] = float(count)
    return figures


def _bin_name(i: int) -> str:
    if i == len(_SIZE_BINS):
        return f"{_SIZE_BINS[-1] + 1}+"
    low = _SIZE_BINS[i - 1] + 1 if i else 1
    return str(low) if low == _SIZE_BINS[i] else f"{low}-{_SIZE_BINS[i]}"


def _credit_statistics(steps: Steps, rows: Ordered, parts: Parts) -> dict[str, float]:
    spread = _varies(rows.task, parts.episode)
    tokens = steps.tokens[steps.order].astype(np.float64)
    size_step, size_episode = _mean(abs(parts.step)), _mean(abs(parts.episode))
    return {
        "zero_episode_groups": float(rows.task.count - int(spread.sum())),
        "zero_step_rows": float((parts.step == 0).sum()),
        "zero_step_share": _share(parts.step == 0),
        "zero_rows": float(((parts.step == 0) & (parts.episode == 0)).sum()),
        "abs_A_S": size_step,
        "abs_A_E": size_episode,
        "abs_A_S_over_abs_A_E": _ratio(size_step, size_episode),
        "mean": _mean(parts.advantage),
        "token_mean": _ratio(float((parts.advantage * tokens).sum()), float(tokens.sum())),
        "std": float(parts.advantage.std()) if len(rows) else 0.0,
        "max_abs": float(abs(parts.advantage).max(initial=0.0)),
        "corr": _correlation(parts.episode, parts.step),
    }


def _baseline_fit(rows: Ordered, parts: Parts, visits: Groups) -> dict[str, float]:
    """How well each baseline predicts the return of a row from the other trajectories.

    Rows whose step group holds no other trajectory fall back to the task, so keys of different
    fineness are scored on the same rows.
    """
    task, has_task = _others_mean(rows.task, rows.trajectory, parts.returns)
    step, has_step = _others_mean(parts.groups, visits, parts.returns)
    truth = parts.returns[has_task]
    return {
        "loo_r2_step": _r2(truth, np.where(has_step, step, task)[has_task]),
        "loo_r2_episode": _r2(truth, task[has_task]),
    }


def _others_mean(groups: Groups, own: Groups, values: FloatRows) -> tuple[FloatRows, BoolRows]:
    """Per row, the mean of its group without its own part of it, and whether there is one."""
    count = groups.sizes[groups.ids] - own.sizes[own.ids]
    total = groups.sum(values)[groups.ids] - own.sum(values)[own.ids]
    return total / np.maximum(count, 1), count > 0


def _label_conflicts(steps: Steps, rows: Ordered) -> dict[str, float]:
    """Rows whose observation covers several states of the task, and the reverse."""
    if not {"state", "observation"} <= steps.labels.keys() or len(rows) == 0:
        return {}
    state = group_by(rows.task.ids, steps.labels["state"][steps.order])
    seen = group_by(rows.task.ids, steps.labels["observation"][steps.order])
    return {
        "alias_rate": _share(seen.varied(state.ids)[seen.ids]),
        "split_rate": _share(state.varied(seen.ids)[state.ids]),
    }


def _aliases(steps: Steps, rows: Ordered) -> dict[str, float]:
    """The alias detector per key level, and keys met with different admissible actions."""
    found: dict[str, float] = {}
    for level in rows.levels:
        if steps.has_actions:
            found[f"alias_rate_{level.name}"] = alias_rate(rows, level.name)
        if "admissible" in steps.labels:
            nodes, choices = rows.nodes(level.name), steps.labels["admissible"][steps.order]
            found[f"admissible_conflict_{level.name}"] = _share(nodes.varied(choices)[nodes.ids])
    return found


def _successes(steps: Steps, rows: Ordered) -> dict[str, float]:
    """How many siblings succeed, and in how many different ways.

    `balance` is B-STaR's score averaged over tasks, with half of a task's siblings as its target.
    """
    won = successes(rows)
    tasks = rows.trajectory_task
    ways: dict[int, set[bytes]] = {}
    for index in np.flatnonzero(won).tolist():
        played = rows.action[rows.first[index] : rows.last[index] + 1]
        ways.setdefault(int(tasks.ids[index]), set()).add(played.tobytes())
    siblings = tasks.sizes.tolist()
    scores = [
        balance_score(len(found), siblings[task], siblings[task] / 2)
        for task, found in ways.items()
    ]
    figures = {"success_share": _share(won)}
    if steps.has_actions:
        figures["unique_successes"] = float(sum(map(len, ways.values())))
        figures["balance"] = _ratio(sum(scores), rows.task.count)
    return figures


def _varies(groups: Groups, values: FloatRows) -> BoolRows:
    return groups.sum(values != 0) > 0


def _r2(truth: FloatRows, predicted: FloatRows) -> float:
    if len(truth) == 0:
        return 0.0
    total = float(((truth - truth.mean()) ** 2).sum())
    return 1.0 - float(((truth - predicted) ** 2).sum()) / total if total > 0 else 0.0


def _correlation(left: FloatRows, right: FloatRows) -> float:
    if len(left) == 0:
        return 0.0
    a, b = left - left.mean(), right - right.mean()
    return _ratio(float((a * b).sum()), float(np.sqrt((a**2).sum() * (b**2).sum())))


def _mean(values: FloatRows) -> float:
    return float(values.mean()) if len(values) else 0.0


def _share(marks: BoolRows) -> float:
    return float(marks.mean()) if len(marks) else 0.0


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0

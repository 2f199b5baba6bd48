"""What makes columns whole trajectories: sorting, refusing what no collector should hand over."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from .columns import END, Level
from .errors import BadColumns
from .types import BoolRows, IntRows

if TYPE_CHECKING:
    from .steps import Steps

LARGEST_REWARD = 1e100
"""Beyond it squares and their sums leave float64."""


def sealed(steps: "Steps", has_terminated: bool, has_truncated: bool) -> "Steps":
    """Sort, check, complete the ends and successors, and lock the arrays."""
    order = _sorted_rows(steps)
    inner = steps.trajectory[order[1:]] == steps.trajectory[order[:-1]]
    _check_trajectories(steps, order, inner)
    last = order[np.append(~inner, True)[: len(order)]]
    open_end = last[~(steps.terminated[last] | steps.truncated[last])]
    if not has_terminated:
        steps.terminated[open_end] = True
    elif not has_truncated:
        steps.truncated[open_end] = True
    levels = tuple(_linked(steps, level, order, inner) for level in steps.levels)
    return _locked(replace(steps, levels=levels, order=order))


def _sorted_rows(steps: "Steps") -> IntRows:
    counted = np.flatnonzero(steps.weight)
    trajectory, step = steps.trajectory[counted], steps.step[counted]
    same = trajectory[1:] == trajectory[:-1]
    if np.all((trajectory[1:] > trajectory[:-1]) | (same & (step[1:] > step[:-1]))):
        return counted
    return counted[np.lexsort((step, trajectory))]


def _check_trajectories(steps: "Steps", order: IntRows, inner: BoolRows) -> None:
    """Refuse what no collector should produce; `inner` marks rows with a later sibling row."""
    bad_reward = order[~(abs(steps.reward[order]) <= LARGEST_REWARD)]
    if len(bad_reward):
        row = int(bad_reward[0])
        raise BadColumns(
            f"reward of row {row} is {steps.reward[row]}; rewards must be finite and at most "
            f"{LARGEST_REWARD:g} in size, so that their squares can be summed"
        )
    before, after = order[:-1], order[1:]
    stride = steps.step[after] - steps.step[before]
    ended = steps.terminated[before] | steps.truncated[before]
    _refuse(steps, after[inner & (steps.task[after] != steps.task[before])], "is in two tasks")
    _refuse(steps, after[inner & (stride == 0)], "has two rows for this step")
    _refuse(steps, after[inner & (stride > 1)], "lacks the step before this one")
    _refuse(steps, after[inner & ended], "goes on after a terminated or truncated row")


def _refuse(steps: "Steps", rows: IntRows, fault: str) -> None:
    if len(rows):
        row = int(rows[0])
        name = steps.trajectory_keys[int(steps.trajectory[row])]
        raise BadColumns(
            f"trajectory {name!r} {fault} (row {row}, step {steps.step[row]}); padding rows "
            f"need weight 0, and trajectory names must differ between tasks"
        )


def _linked(steps: "Steps", level: Level, order: IntRows, inner: BoolRows) -> Level:
    """The level with every successor known from the trajectory filled in, and ends cut off."""
    before, after = order[:-1][inner], order[1:][inner]
    given = level.next_ids[before]
    wrong = before[(given != END) & (given != level.ids[after])]
    _refuse(steps, wrong, f"names another next_{level.name} than the {level.name} of its next row")
    next_ids = np.full(len(steps), END)
    counted = order[~steps.terminated[order]]
    next_ids[counted] = level.next_ids[counted]
    next_ids[before] = level.ids[after]
    return replace(level, next_ids=next_ids)


def _locked(steps: "Steps") -> "Steps":
    """The same columns, read-only from here on."""
    for record in (steps, *steps.levels):
        for item in fields(record):
            column: object = getattr(record, item.name)
            if isinstance(column, np.ndarray):
                column.flags.writeable = False
    for label in steps.labels.values():
        label.flags.writeable = False
    return steps

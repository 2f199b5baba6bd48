"""Key levels for back-off, built from what the rows carry.

`with_history` refines the anchor by the anchors before it, `with_visited` by the set of anchors
visited so far, `with_backoff` chooses: states and visited sets where the environment names its
state, else the last 3, 2 and 1 observations. Refined levels stand before the anchor, finest first,
and each is a function of the finer one.
"""

from dataclasses import replace

import numpy as np

from .columns import END, Level
from .groups import group_by
from .ordered import Ordered, ordered
from .steps import Steps
from .types import BoolRows, IntRows


def with_backoff(steps: Steps) -> Steps:
    """The rows with the levels that `backoff_lambda` is made for.

    With a label `state`: (state, visited set) over state. Without: the last 3 and 2 anchors over
    the anchor.
    """
    if "state" in steps.labels:
        return with_visited(replace(steps, levels=(_state_level(steps),)))
    return with_history(steps, 3)


def with_history(steps: Steps, depth: int = 3) -> Steps:
    """The anchor behind levels `last_<depth>` .. `last_2`: the keys of the last turns."""
    rows = ordered(steps)
    base = level = rows.level()
    finer: list[Level] = []
    for span in range(2, depth + 1):
        before = np.zeros(len(rows), np.int64)
        before[1:] = level.ids[:-1] + 1
        before[rows.first] = 0
        level = _refined(f"last_{span}", base, before, level.ids + 1)
        finer.append(level)
    return _with_levels(steps, [*reversed(finer), base])


def with_visited(steps: Steps) -> Steps:
    """The anchor behind a level `visited`: the anchor and the set of anchors met so far.

    Sets are told apart by two sums of 64 random bits per member.
    """
    rows = ordered(steps)
    base = rows.level()
    known = np.flatnonzero(base.next_ids[rows.last] != END)
    last = rows.last[known]
    after = base.next_ids[last]
    new_here, new_after = _first_visits(rows, base, last, after)
    here, there = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for seed in (0, 1):
        bits = np.random.default_rng(seed).integers(0, 2**63, max(len(base.keys), 1))
        total = np.cumsum(np.where(new_here, bits[base.ids], 0))
        start = (total - np.where(new_here, bits[base.ids], 0))[rows.first]
        met = total - start[rows.trajectory.ids]
        then = np.append(met[1:], 0)[: len(rows)]
        then[last] = met[last] + np.where(new_after, bits[after], 0)
        joint = np.unique(np.concatenate([met, then]), return_inverse=True)[1].reshape(-1)
        pair = group_by(np.concatenate([here, there]), joint.astype(np.int64)).ids
        here, there = pair[: len(rows)], pair[len(rows) :]
    return _with_levels(steps, [_refined("visited", base, here, there), base])


def _first_visits(
    rows: Ordered, base: Level, last: IntRows, after: IntRows
) -> tuple[BoolRows, BoolRows]:
    """Rows, and states behind last rows, that their trajectory had not met before."""
    trajectory = np.concatenate([rows.trajectory.ids, rows.trajectory.ids[last]])
    visits = group_by(trajectory, np.concatenate([base.ids, after]))
    first = np.zeros(len(trajectory), np.bool_)
    first[visits.first()] = True
    return first[: len(rows)], first[len(rows) :]


def _refined(name: str, base: Level, here: IntRows, there: IntRows) -> Level:
    """Keys (base key, mark): `here` marks the state of each row, `there` the one it leads to."""
    known = base.next_ids != END
    pairs = group_by(
        np.concatenate([base.ids, base.next_ids[known]]), np.concatenate([here, there[known]])
    )
    next_ids = np.full(len(base.ids), END)
    next_ids[known] = pairs.ids[len(base.ids) :]
    return Level(
        name=name,
        ids=pairs.ids[: len(base.ids)],
        next_ids=next_ids,
        keys=tuple(range(pairs.count)),
    )


def _state_level(steps: Steps) -> Level:
    """The environment's state as the level `anchor`, in the caller's order.

    Where the anchor names the same states, it is kept, since it knows what truncated rows end in.
    """
    rows = ordered(steps)
    anchor, states = rows.level(), steps.labels["state"][steps.order]
    pairs = group_by(anchor.ids, states).count
    if pairs == group_by(anchor.ids).count == group_by(states).count:
        ids, next_ids, keys = anchor.ids, anchor.next_ids, anchor.keys
    else:
        ids, next_ids = states, np.full(len(rows), END)
        inner = np.flatnonzero(rows.remaining > 0)
        next_ids[inner] = states[inner + 1]
        keys = tuple(range(int(steps.labels["state"].max(initial=-1)) + 1))
    return _spread(steps, Level(name="anchor", ids=ids, next_ids=next_ids, keys=keys))


def _with_levels(steps: Steps, levels: list[Level]) -> Steps:
    """The same rows under other levels, given per ordered row."""
    return replace(steps, levels=tuple(_spread(steps, level) for level in levels))


def _spread(steps: Steps, level: Level) -> Level:
    ids = steps.spread(level.ids).astype(np.int64)
    next_ids = steps.spread(level.next_ids, padding=END).astype(np.int64)
    return replace(level, ids=ids, next_ids=next_ids)

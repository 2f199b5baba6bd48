"""`Steps`: the turns of sibling trajectories as columns, one row per turn, checked once.

In: groups of trajectories, or plain sequences in any row order. Out: read-only arrays in the
caller's order with keys replaced by dense ids. Rows of weight 0 are padding: they enter no check
and no statistic and get 0. Every key is scoped by its task.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from .checks import sealed
from .columns import (
    Column,
    Level,
    LevelColumns,
    cells,
    flags,
    floats,
    integers,
    level_of,
    named_levels,
)
from .errors import BadColumns
from .keys import Key, intern
from .types import BoolRows, FloatRows, Group, IntRows, Trajectory, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The turns of a batch as columns of one length, in the caller's row order."""

    task: IntRows
    trajectory: IntRows
    step: IntRows
    levels: tuple[Level, ...]
    """Names of the states, finest level first."""
    action: IntRows
    """What was executed; equal ids are the same action."""
    reward: FloatRows
    terminated: BoolRows
    truncated: BoolRows
    valid: BoolRows
    """The reply parsed into an action."""
    weight: BoolRows
    """False for padding."""
    tokens: IntRows
    """Sampled tokens of the turn; only weighs means in the report."""
    labels: Mapping[str, IntRows] = field(default_factory=dict[str, IntRows])
    """Further names of the states, for the alias report: `state`, `observation`, `admissible`."""
    state_is_markov: bool = False
    """The environment certifies that equal finest keys have equal futures."""
    order: IntRows
    """Counted rows sorted by trajectory and time."""
    odd_starts: int = 0
    """Trajectories left out because their siblings started in another state."""
    task_keys: tuple[Key, ...] = ()
    """The user's name of each task id."""
    trajectory_keys: tuple[Key, ...] = ()
    action_keys: tuple[Key, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        task: Column,
        trajectory: Column,
        step: ArrayLike,
        anchor: LevelColumns,
        reward: ArrayLike,
        action: Column | None = None,
        next_anchor: LevelColumns | None = None,
        terminated: ArrayLike | None = None,
        truncated: ArrayLike | None = None,
        valid: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        tokens: ArrayLike | None = None,
        labels: Mapping[str, Column] | None = None,
        state_is_markov: bool = False,
    ) -> "Steps":
        """Columns of plain values, in any row order.

        `anchor` is one column of keys, or several levels finest first (a mapping by name, or a
        sequence of columns); `next_anchor` has the same form and is derived where it is absent. A
        trajectory's last row that carries no end flag is taken as terminated when neither flag
        column is given, or as what the absent one would say. Raises `BadColumns`.
        """
        names = cells("task", task)
        size = len(names)
        task_ids, task_keys = intern(names)
        trajectory_ids, trajectory_keys = intern(cells("trajectory", trajectory, size))
        actions = [""] * size if action is None else cells("action", action, size)
        action_ids, action_keys = intern(actions)
        ones = np.ones(size, np.bool_)
        unordered = cls(
            task=task_ids,
            trajectory=trajectory_ids,
            step=integers("step", step, size),
            levels=_levels(anchor, next_anchor, size),
            action=action_ids,
            reward=floats("reward", reward, size),
            terminated=flags("terminated", ~ones if terminated is None else terminated, size),
            truncated=flags("truncated", ~ones if truncated is None else truncated, size),
            valid=flags("valid", ones if valid is None else valid, size),
            weight=flags("weight", ones if weight is None else weight, size),
            tokens=integers("tokens", ones if tokens is None else tokens, size),
            labels={name: intern(cells(name, c, size))[0] for name, c in (labels or {}).items()},
            state_is_markov=state_is_markov,
            order=np.zeros(0, np.int64),
            task_keys=task_keys,
            trajectory_keys=trajectory_keys,
            action_keys=action_keys,
        )
        return sealed(unordered, terminated is not None, truncated is not None)

    @classmethod
    def from_groups(cls, groups: Iterable[Group], *, state_is_markov: bool = False) -> "Steps":
        """One row per turn, in the order group, trajectory, turn; failures are left out.

        Levels are `anchor` and, where turns carry nested keys, those. A trajectory that does not
        start in the state of its siblings' majority gets weight 0. An episode that was cut by the
        context or by a token limit counts as truncated.
        """
        episodes = [e for group in groups for e in group.trajectories if e.turns]
        turns = [turn for e in episodes for turn in e.turns]
        index = [(i, t) for i, e in enumerate(episodes) for t in range(len(e.turns))]
        ends = [t == len(episodes[i].turns) - 1 for i, t in index]
        in_place = _in_place(episodes)
        steps = cls.of(
            task=[episodes[i].task for i, _ in index],
            trajectory=[i for i, _ in index],
            step=[t for _, t in index],
            anchor=_played_levels(turns),
            next_anchor={"anchor": _successors(episodes)},
            action=[turn.action_key for turn in turns],
            reward=[turn.reward for turn in turns],
            terminated=[turn.terminated for turn in turns],
            truncated=[
                turn.truncated or (end and not turn.terminated)
                for turn, end in zip(turns, ends, strict=True)
            ],
            valid=[turn.valid for turn in turns],
            weight=[in_place[i] for i, _ in index],
            tokens=[turn.stop - turn.start for turn in turns],
            labels=_labels(turns),
            state_is_markov=state_is_markov,
        )
        return replace(steps, odd_starts=in_place.count(False))

    @property
    def anchor(self) -> tuple[IntRows, ...]:
        """Key ids of each level, finest first."""
        return tuple(level.ids for level in self.levels)

    @property
    def next_anchor(self) -> tuple[IntRows, ...]:
        """Successor ids of each level, -1 where no state follows."""
        return tuple(level.next_ids for level in self.levels)

    @property
    def has_actions(self) -> bool:
        """Whether the caller said what was executed."""
        return self.action_keys != ("",)

    def __len__(self) -> int:
        return len(self.task)

    def spread(self, values: FloatRows | IntRows | BoolRows, padding: float = 0.0) -> FloatRows:
        """Values per ordered row, put back into the caller's row order."""
        out = np.full(len(self), padding)
        out[self.order] = values
        return out


def _levels(anchor: LevelColumns, follow: LevelColumns | None, size: int) -> tuple[Level, ...]:
    here = named_levels(anchor)
    after: Mapping[str, Column] = {} if follow is None else named_levels(follow)
    unknown = [name for name in after if name.removeprefix("next_") not in here]
    if unknown:
        raise BadColumns(f"next_anchor has levels {unknown} that anchor lacks: {list(here)}")
    after = {name.removeprefix("next_"): column for name, column in after.items()}
    return tuple(level_of(name, column, after.get(name), size) for name, column in here.items())


def _played_levels(turns: Sequence[Turn]) -> dict[str, Column]:
    """The anchor and the nested keys of the turns as levels, finest first."""
    anchors = [turn.anchor for turn in turns]
    depths = {len(turn.keys) for turn in turns}
    if len(depths) != 1 or depths == {0}:
        return {"anchor": anchors}
    columns = [[turn.keys[j] for turn in turns] for j in range(depths.pop())]
    named: dict[str, Column] = {
        "anchor" if column == anchors else f"key_{j}": column for j, column in enumerate(columns)
    }
    return named if "anchor" in named else {"anchor": anchors, **named}


def _successors(episodes: Sequence[Trajectory]) -> list[str | None]:
    """The anchor after each turn, None where it was never seen."""
    return [
        key
        for episode in episodes
        for key in (*(turn.anchor for turn in episode.turns[1:]), episode.final_anchor)
    ]


def _in_place(episodes: Sequence[Trajectory]) -> list[bool]:
    """Which trajectories start where most of their task's siblings do."""
    starts = Counter((episode.task, episode.turns[0].anchor) for episode in episodes)
    usual = {task: anchor for (task, anchor), _ in reversed(starts.most_common())}
    return [episode.turns[0].anchor == usual[episode.task] for episode in episodes]


def _labels(turns: Sequence[Turn]) -> dict[str, Column]:
    labels: dict[str, Column] = {"observation": [turn.observation_key for turn in turns]}
    states = [turn.state_key for turn in turns]
    return labels if None in states else {**labels, "state": states}

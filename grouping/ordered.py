"""`Ordered`: the counted rows sorted by trajectory and time, which estimators compute on."""

from dataclasses import dataclass, replace

import numpy as np

from .columns import Level
from .errors import UnknownLevel, near
from .groups import Groups, group_by
from .steps import Steps
from .types import BoolRows, FloatRows, IntRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The counted rows, trajectory by trajectory in time order: what estimators compute on."""

    task: Groups
    """Rows by task."""
    trajectory: Groups
    """Rows by trajectory."""
    first: IntRows
    """First row of each trajectory."""
    last: IntRows
    """Last row of each trajectory."""
    position: IntRows
    """Turns before this one in its trajectory."""
    remaining: IntRows
    """Turns after this one in its trajectory."""
    levels: tuple[Level, ...]
    """Names of the states, finest first."""
    action: IntRows
    reward: FloatRows
    terminated: BoolRows
    truncated: BoolRows
    valid: BoolRows
    state_is_markov: bool
    """The environment certifies that equal finest keys have equal futures."""

    def __len__(self) -> int:
        return len(self.reward)

    @property
    def trajectory_task(self) -> Groups:
        """Trajectories by task."""
        return Groups(ids=self.task.ids[self.first], count=self.task.count)

    def level(self, name: str = "") -> Level:
        """The level of this name; the empty name is `anchor`, or the finest where none is."""
        by_name = {level.name: level for level in reversed(self.levels)}
        if not name:
            return by_name.get("anchor", self.levels[0])
        if name not in by_name:
            known = [level.name for level in self.levels]
            raise UnknownLevel(f"no key level {name!r}{near(name, known)} The rows have: {known}")
        return by_name[name]

    def nodes(self, name: str = "") -> Groups:
        """Rows by (task, key) at one level: the step groups G(k)."""
        return group_by(self.task.ids, self.level(name).ids)

    def trajectories_in(self, groups: Groups) -> IntRows:
        """Distinct trajectories in each group of rows."""
        visits = group_by(groups.ids, self.trajectory.ids)
        return np.bincount(groups.ids[visits.first()], minlength=groups.count)


def ordered(steps: Steps) -> Ordered:
    """The counted rows of `steps`, sorted by trajectory and time."""
    rows = steps.order
    trajectory = group_by(steps.trajectory[rows])
    sizes = trajectory.sizes
    last = np.cumsum(sizes) - 1
    first = last - sizes + 1
    index = np.arange(len(rows))
    return Ordered(
        task=group_by(steps.task[rows]),
        trajectory=trajectory,
        first=first,
        last=last,
        position=index - first[trajectory.ids],
        remaining=last[trajectory.ids] - index,
        levels=tuple(
            replace(level, ids=level.ids[rows], next_ids=level.next_ids[rows])
            for level in steps.levels
        ),
        action=steps.action[rows],
        reward=steps.reward[rows],
        terminated=steps.terminated[rows],
        truncated=steps.truncated[rows],
        valid=steps.valid[rows],
        state_is_markov=steps.state_is_markov,
    )

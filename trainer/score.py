"""Success of a set of episodes with an interval that says how sure it is."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from ..grouping import Group, Trajectory

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A success rate."""

    mean: float
    low: float
    """Lower end of the 95 % Wilson interval."""
    high: float
    """Upper end of the 95 % Wilson interval."""
    episodes: int
    """Episodes that count; failures of infrastructure do not."""

    def json(self) -> dict[str, float]:
        """The four numbers."""
        return asdict(self)

    def text(self) -> str:
        """Such as `42.2 % [33.9, 50.9] of 128`."""
        return (
            f"{100 * self.mean:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}] "
            f"of {self.episodes}"
        )


def wilson(successes: int, episodes: int) -> Score:
    """95 % score interval of a proportion (Wilson 1927); no episodes give the whole [0, 1]."""
    if episodes == 0:
        return Score(mean=0.0, low=0.0, high=1.0, episodes=0)
    rate, z2 = successes / episodes, _Z95**2
    centre = (rate + z2 / (2 * episodes)) / (1 + z2 / episodes)
    spread = rate * (1 - rate) / episodes + z2 / (4 * episodes**2)
    half = _Z95 * math.sqrt(spread) / (1 + z2 / episodes)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == episodes else min(1.0, centre + half)
    return Score(mean=rate, low=low, high=high, episodes=episodes)


def score(trajectories: Iterable[Trajectory]) -> Score:
    """Success over trajectories."""
    won = [trajectory.success for trajectory in trajectories]
    return wilson(sum(won), len(won))


def score_by_type(groups: Iterable[Group]) -> dict[str, Score]:
    """Success per task type, types in name order; `all` comes last."""
    everything = [t for group in groups for t in group.trajectories]
    types = sorted({t.task_type for t in everything if t.task_type})
    table = {kind: score(t for t in everything if t.task_type == kind) for kind in types}
    return {**table, "all": score(everything)}

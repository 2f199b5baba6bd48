"""`Parts`: what an estimator returns, one number per ordered row."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .groups import Groups
from .types import FloatRows, IntRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The advantage of every ordered row and what it was made of."""

    advantage: FloatRows
    episode: FloatRows
    """Episode-level part A_E."""
    step: FloatRows
    """Step-level part A_S, before its weight."""
    returns: FloatRows
    """Return to go of the row."""
    groups: Groups
    """Rows that were compared with each other."""
    extra: Mapping[str, FloatRows | IntRows] = field(default_factory=dict[str, FloatRows])
    """Further quantities per row, for inspection and tests."""
    floored: int = 0
    """Rows in groups whose spread was replaced by the floor."""

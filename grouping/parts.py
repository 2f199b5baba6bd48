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
    figures: Mapping[str, float] = field(default_factory=dict[str, float])
    """Statistics that only the estimator knows, reported as `credit/<name>`."""
    bootstraps: tuple[str, ...] = ()
    """Key levels whose next values were trusted, so that keys which merge states do harm."""
    compares_actions: bool = False
    """The step part needs the `action` column."""
    needs_certificate: bool = False
    """The estimator is sound only where the environment certifies its key."""

"""Credit from anchor states: turns in columns, advantages out; numpy only, no torch, no env."""

from . import vectors
from .errors import (
    BadColumns,
    BadEstimatorOption,
    BadKey,
    BadVectors,
    UnknownEstimator,
    UnknownLevel,
)
from .estimators import estimate, estimator, estimator_names, estimator_options
from .keys import structured_key
from .levels import with_backoff, with_history, with_visited
from .ordered import Ordered, ordered
from .parts import Parts
from .steps import Steps
from .tokens import Spans
from .types import Credit, Group, Stop, Trajectory, Turn

__all__ = [
    "BadColumns",
    "BadEstimatorOption",
    "BadKey",
    "BadVectors",
    "Credit",
    "Group",
    "Ordered",
    "Parts",
    "Spans",
    "Steps",
    "Stop",
    "Trajectory",
    "Turn",
    "UnknownEstimator",
    "UnknownLevel",
    "estimate",
    "estimator",
    "estimator_names",
    "estimator_options",
    "ordered",
    "structured_key",
    "vectors",
    "with_backoff",
    "with_history",
    "with_visited",
]

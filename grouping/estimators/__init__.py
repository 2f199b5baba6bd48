"""Estimators: one function each, found by name through `estimate`."""

from . import gigpo as gigpo
from .options import Between, Count, NotNegative, Share
from .registry import estimate, estimator, estimator_names, estimator_options

__all__ = [
    "Between",
    "Count",
    "NotNegative",
    "Share",
    "estimate",
    "estimator",
    "estimator_names",
    "estimator_options",
]

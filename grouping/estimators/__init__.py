"""Estimators by name: `gigpo` and its family, and short functions beside it.

`core` and `blend` hold one parametrised estimator, `family`, `backoff` and `doubt` its presets,
`scalars` what gives one number per trajectory, `histories`, `paths` and `g2po` the methods that
fit neither.
"""

from . import backoff as backoff
from . import doubt as doubt
from . import family as family
from . import g2po as g2po
from . import gigpo as gigpo
from . import histories as histories
from . import paths as paths
from . import scalars as scalars
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

"""Errors of the credit room, all raised at its edge: columns, names and options that users hand in.

GigymError
  BadColumns                columns that do not describe whole trajectories  exit 2
    BadKey                  a value that cannot name a state or an action    exit 2
  UnknownEstimator          a name that no estimator carries                 exit 2
  UnknownLevel              a key level the rows do not have                 exit 2
  BadEstimatorOption        an option or value that the estimator refuses    exit 2
  BadVectors                a vector file that does not parse                exit 5
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

from .. import GigymError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BadColumns",
    "BadEstimatorOption",
    "BadKey",
    "BadVectors",
    "UnknownEstimator",
    "UnknownLevel",
    "near",
]


class BadColumns(GigymError, ValueError):
    """The columns do not describe whole trajectories."""

    exit_code = 2


class BadKey(BadColumns):
    """A value that cannot name a state, an action, a task or a trajectory."""


class UnknownEstimator(GigymError, LookupError):
    """No estimator is registered under this name."""

    exit_code = 2


class UnknownLevel(GigymError, LookupError):
    """The rows carry no key level of this name."""

    exit_code = 2


class BadEstimatorOption(GigymError, ValueError):
    """The estimator does not take this option or value."""

    exit_code = 2


class BadVectors(GigymError, ValueError):
    """A file of test vectors cannot be read."""

    exit_code = 5


def near(name: str, known: "Iterable[str]") -> str:
    """The end of an error's sentence: a did-you-mean clause, or a full stop."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else "."

"""Statistics over sets of rows: `Groups`, group means, and the normaliser of eq. 3 and 7.

Everything is float64 and linear in the number of rows. Subscripts: arrays here have one entry per
row unless the name says per group.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from .types import BoolRows, FloatRows, IntRows

NormKind: TypeAlias = Literal["mean", "mean_std"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """A partition of rows: `ids[row]` is the row's group, numbered densely from 0."""

    ids: IntRows
    count: int

    @property
    def sizes(self) -> IntRows:
        """Rows in each group."""
        return np.bincount(self.ids, minlength=self.count).astype(np.int64)

    def sum(self, values: FloatRows | BoolRows) -> FloatRows:
        """Sum of the values in each group."""
        sums = np.bincount(self.ids, weights=values, minlength=self.count)
        return sums.astype(np.float64, copy=False)

    def mean(self, values: FloatRows) -> FloatRows:
        """Mean of the values in each group."""
        return self.sum(values) / np.maximum(self.sizes, 1)

    def varied(self, values: FloatRows | IntRows | BoolRows) -> BoolRows:
        """Which groups hold more than one value."""
        return self.sum(values != values[self.first()][self.ids]) > 0

    def first(self) -> IntRows:
        """Smallest row of each group."""
        rows = np.empty(self.count, np.int64)
        rows[self.ids[::-1]] = np.arange(len(self.ids) - 1, -1, -1)
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """How a group's values become advantages: minus the mean, over the spread or not."""

    kind: NormKind = "mean_std"
    floor: float = 1e-6
    """Smallest spread divided by."""
    ddof: int = 1
    tolerance: float = 0.0
    """Groups whose range is within this times max(1, max|x|) count as constant."""


def group_by(first: IntRows, *others: IntRows) -> Groups:
    """Rows with equal ids in every column. Ids must be dense and not negative."""
    ids, count = _compact(first)
    for column in others:
        ids, count = _compact(ids * (int(column.max(initial=0)) + 1) + column)
    return Groups(ids=ids, count=count)


def _compact(ids: IntRows) -> tuple[IntRows, int]:
    """Renumber ids without holes, in linear time while their range is of the order of the rows."""
    if len(ids) == 0:
        return ids, 0
    span = int(ids.max()) + 1
    if span > 16 * len(ids) + 1024:
        values, dense = np.unique(ids, return_inverse=True)
        return dense.astype(np.int64).reshape(-1), len(values)
    used = np.zeros(span, np.bool_)
    used[ids] = True
    return (np.cumsum(used) - 1)[ids], int(used.sum())


def normalise(values: FloatRows, groups: Groups, norm: Norm) -> FloatRows:
    """Each value against its group's mean, in units of the group's spread for `mean_std`.

    Groups of one and constant groups give exactly 0; the spread has a floor and no epsilon.
    """
    deviation = deviations(values, groups, norm.tolerance)
    if norm.kind == "mean":
        return deviation
    return deviation / np.maximum(spreads(deviation, groups, norm.ddof), norm.floor)[groups.ids]


def deviations(values: FloatRows, groups: Groups, tolerance: float = 0.0) -> FloatRows:
    """Each value less its group's mean; exactly 0 where the group is constant."""
    if len(values) == 0:
        return values
    varied = _varied(values, groups, tolerance)[groups.ids]
    return np.where(varied, values - groups.mean(values)[groups.ids], 0.0)


def spreads(deviation: FloatRows, groups: Groups, ddof: int) -> FloatRows:
    """Standard deviation of each group from its members' deviations."""
    return np.sqrt(groups.sum(deviation**2) / np.maximum(groups.sizes - ddof, 1))


def rows_on_floor(values: FloatRows, groups: Groups, norm: Norm) -> int:
    """Rows whose group varies by less than the floor, so that the floor divides."""
    if norm.kind == "mean":
        return 0
    spread = spreads(deviations(values, groups, norm.tolerance), groups, norm.ddof)
    return int(((spread > 0) & (spread < norm.floor))[groups.ids].sum())


def _varied(values: FloatRows, groups: Groups, tolerance: float) -> BoolRows:
    """Which groups hold more than one value."""
    if tolerance == 0.0:
        return groups.varied(values)
    low, high = np.full(groups.count, np.inf), np.full(groups.count, -np.inf)
    np.minimum.at(low, groups.ids, values)
    np.maximum.at(high, groups.ids, values)
    return high - low > tolerance * np.maximum(1.0, np.maximum(abs(low), abs(high)))

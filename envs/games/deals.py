"""Divisions of a small pool of items: all splits, what they are worth, which are efficient.

A pool is a tuple of counts, a split the tuple of what one side keeps, the values are whole
points per item. Everything is by enumeration: at most 5^5 splits.
"""

import functools
import itertools
from collections.abc import Iterator

Counts = tuple[int, ...]
TOTAL = 10
"""Points that the whole pool is worth to each side."""


@functools.lru_cache(maxsize=512)
def splits(pool: Counts) -> tuple[Counts, ...]:
    """Every share of the pool, in the order of counting."""
    return tuple(itertools.product(*(range(count + 1) for count in pool)))


def rest(pool: Counts, share: Counts) -> Counts:
    """What is left of a pool without a share."""
    return tuple(count - kept for count, kept in zip(pool, share, strict=True))


def worth(values: Counts, share: Counts) -> int:
    """Points of a share."""
    return sum(value * kept for value, kept in zip(values, share, strict=True))


@functools.lru_cache(maxsize=1024)
def valuations(pool: Counts) -> tuple[Counts, ...]:
    """All ways to give whole points to items such that the pool is worth `TOTAL`."""
    return tuple(_valuations(pool, TOTAL))


def _valuations(pool: Counts, points: int) -> Iterator[Counts]:
    if not pool:
        if points == 0:
            yield ()
        return
    for value in range(points // pool[0] + 1):
        for others in _valuations(pool[1:], points - value * pool[0]):
            yield (value, *others)


@functools.lru_cache(maxsize=1024)
def _worths(pool: Counts, values: Counts) -> tuple[int, ...]:
    """Points of every share, in the order of `splits`."""
    return tuple(worth(values, share) for share in splits(pool))


@functools.lru_cache(maxsize=1024)
def ranked(pool: Counts, values: Counts) -> tuple[Counts, ...]:
    """Every share, the dearest first; among equals the smallest, which leaves most to others."""
    pairs = zip(splits(pool), _worths(pool, values), strict=True)
    return tuple(keep for _, _, keep in sorted((-got, sum(keep), keep) for keep, got in pairs))


@functools.lru_cache(maxsize=1024)
def points_of_splits(pool: Counts, first: Counts, second: Counts) -> frozenset[tuple[int, int]]:
    """What both sides can get, over all splits."""
    whole = worth(second, pool)
    pairs = zip(_worths(pool, first), _worths(pool, second), strict=True)
    return frozenset((got, whole - given) for got, given in pairs)


def max_welfare(pool: Counts, first: Counts, second: Counts) -> int:
    """The highest sum of both sides' points."""
    return max(sum(pair) for pair in points_of_splits(pool, first, second))


def is_efficient(pair: tuple[int, int], possible: frozenset[tuple[int, int]]) -> bool:
    """Pareto-optimal: no possible pair is as good for both and better for one."""
    return not any(
        other != pair and other[0] >= pair[0] and other[1] >= pair[1] for other in possible
    )


@functools.lru_cache(maxsize=1024)
def efficient(pool: Counts, first: Counts, second: Counts) -> tuple[Counts, ...]:
    """Shares of the first side that are Pareto-optimal, the dearest first."""
    possible = points_of_splits(pool, first, second)
    return tuple(
        share
        for share in ranked(pool, first)
        if is_efficient((worth(first, share), worth(second, rest(pool, share))), possible)
    )


@functools.lru_cache(maxsize=4096)
def kindest(pool: Counts, values: Counts, points: int, asked: Counts) -> Counts:
    """The share worth so many points that takes least of what the other asked for, then least."""

    def cost(keep: Counts) -> tuple[int, int, Counts]:
        pairs = zip(keep, asked, pool, strict=True)
        clash = sum(max(0, kept + wanted - held) for kept, wanted, held in pairs)
        return clash, sum(keep), keep

    pairs = zip(splits(pool), _worths(pool, values), strict=True)
    return min((keep for keep, got in pairs if got >= points), key=cost)

"""Similarity groups: texts that nearly agree name one state (the paper's option for QA tasks).

Independent of row order by construction: exact duplicates are one text; a task's distinct texts
are visited from the most frequent to the least, ties by the text itself; each joins the first
representative it resembles, or founds a group. `greedy_groups` is the reference's first fit.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np

from .blocks import reaches
from .columns import END, Level
from .errors import BadKey
from .groups import group_by
from .ordered import Ordered
from .types import IntRows


def ratio(left: str, right: str) -> float:
    """`difflib`'s ratio, made symmetric by sorting the pair, without autojunk."""
    first, second = sorted((left, right))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def similar_groups(texts: Sequence[str], counts: Sequence[int], threshold: float) -> IntRows:
    """For each distinct text, the index of its representative; `counts` are rows per text."""
    representative = np.empty(len(texts), np.int64)
    founders: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: (-counts[i], texts[i])):
        hits = (f for f in founders if resembles(texts[f], texts[i], threshold))
        representative[i] = next(hits, i)
        if representative[i] == i:
            founders.append(i)
    return representative


def resembles(left: str, right: str, threshold: float) -> bool:
    """Whether `ratio` reaches the threshold; bounds that are never below it are asked first."""
    first, second = sorted((left, right))
    return left == right or (
        _length_bound(left, right) >= threshold
        and _letter_bound(left, right) >= threshold
        and reaches(first, second, threshold)
    )


def greedy_groups(texts: Sequence[str], threshold: float) -> IntRows:
    """The reference's groups: first fit in arrival order, default autojunk, numbered from 0."""
    founders: list[str] = []
    groups = np.empty(len(texts), np.int64)
    for row, text in enumerate(texts):
        hits = (
            group
            for group, founder in enumerate(founders)
            if SequenceMatcher(None, text, founder).ratio() >= threshold
        )
        groups[row] = next(hits, len(founders))
        if groups[row] == len(founders):
            founders.append(text)
    return groups


def merged_level(rows: Ordered, name: str, threshold: float) -> Level:
    """The level with keys of each task merged by similarity; a merged key keeps its founder's id.

    Raises `BadKey` where keys are no texts.
    """
    level = rows.level(name)
    if not all(isinstance(key, str) for key in level.keys):
        raise BadKey(f"similarity compares texts, but keys of level {level.name!r} are not")
    texts = list(map(str, level.keys))
    nodes = group_by(rows.task.ids, level.ids)
    first = nodes.first()
    task, key, visits = rows.task.ids[first], level.ids[first], nodes.sizes
    founder = np.empty(nodes.count, np.int64)
    cuts = np.flatnonzero(np.diff(task)) + 1
    for members in np.split(np.arange(nodes.count), cuts):
        here: list[int] = key[members].tolist()
        found = similar_groups([texts[k] for k in here], visits[members].tolist(), threshold)
        founder[members] = key[members][found]
    ids = founder[nodes.ids]
    next_ids = level.next_ids.copy()
    inner = np.flatnonzero(rows.remaining > 0)
    next_ids[inner] = np.where(level.next_ids[inner] == END, END, ids[inner + 1])
    return replace(level, ids=ids, next_ids=next_ids)


def _length_bound(left: str, right: str) -> float:
    return 2.0 * min(len(left), len(right)) / max(len(left) + len(right), 1)


def _letter_bound(left: str, right: str) -> float:
    """Letters in common, counted with multiplicity."""
    return 2.0 * (Counter(left) & Counter(right)).total() / max(len(left) + len(right), 1)

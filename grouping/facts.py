"""What vector cases say besides credit: group statistics, aliases, typed keys, similar texts.

Each function computes the facts of one kind under the names of the vector files.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from .errors import BadKey
from .graph import outcome_conflicts
from .keys import reference_key, structured_key
from .ordered import ordered
from .report import group_sizes
from .similarity import greedy_groups, ratio, similar_groups
from .steps import Steps

Facts = dict[str, Any]


def group_facts(steps: Steps) -> Facts:
    """Step groups of the default level: how many, how large, who meets."""
    rows = ordered(steps)
    groups = rows.nodes()
    sizes = group_sizes(groups)
    meeting = (rows.trajectories_in(groups) >= 2)[groups.ids]
    return {
        "rows": len(rows),
        "step_groups": groups.count,
        "mean_group_size": len(rows) / max(groups.count, 1),
        "group_size_histogram": {str(size): count for size, count in sizes.items()},
        "singleton_groups": sizes.get(1, 0),
        "rows_with_two_or_more_trajectories": int(meeting.sum()),
    }


def alias_facts(steps: Steps, levels: Sequence[str]) -> Facts:
    """The alias detector per key level."""
    rows = ordered(steps)
    found: Facts = {}
    for level in levels:
        repeated, conflict = outcome_conflicts(rows, level)
        found[level] = {
            "conflict": steps.spread(conflict).astype(np.int64).tolist(),
            "rows_in_repeated_pairs": int(repeated.sum()),
            "rows_in_conflict": int(conflict.sum()),
            "alias_rate": float(conflict.sum() / max(int(repeated.sum()), 1)),
        }
    return found


def key_facts(content: Mapping[str, Any]) -> Facts:
    """Equality classes of typed keys, and what the reference's dictionary would merge."""
    values = cast("list[object]", content["values"])
    keys = [structured_key(value) for value in values]
    index = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    merged: dict[object, list[int]] = {}
    refused: list[int] = []
    for i, value in enumerate(values):
        try:
            merged.setdefault(reference_key(value), []).append(i)
        except BadKey:
            refused.append(i)
    return {
        "expected_classes": [index[key] for key in keys],
        "reference_merges": [members for members in merged.values() if len(members) > 1],
        "reference_rejects": refused,
    }


def similarity_facts(content: Mapping[str, Any]) -> Facts:
    """Representatives in every arrival order, ratios, and the reference's greedy groups."""
    texts = cast("list[str]", content["texts"])
    threshold = float(content["threshold"])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    orders = cast("list[list[int]]", content["orders_to_try"])
    distinct = list(dict.fromkeys(texts))
    names = {letters[texts.index(text)]: text for text in distinct}
    return {
        "ratios": {
            pair: round(ratio(names[pair[0]], names[pair[1]]), 6) for pair in content["ratios"]
        },
        "expected_group_representative": _representatives(texts, threshold),
        "reference_greedy": {
            f"order {order}": greedy_groups([texts[i] for i in order], threshold).tolist()
            for order in orders
        },
        "order_dependent": [
            order
            for order in orders
            if _named(texts, order, threshold) != _named(texts, orders[0], threshold)
        ],
    }


def _named(texts: list[str], order: list[int], threshold: float) -> dict[str, str]:
    """The representative of each text when the texts arrive in this order."""
    arrived = [texts[i] for i in order]
    found = _representatives(arrived, threshold)
    return {text: arrived[place] for text, place in zip(arrived, found, strict=True)}


def _representatives(texts: list[str], threshold: float) -> list[int]:
    """For each row, the first row that holds its group's representative text."""
    distinct = list(dict.fromkeys(texts))
    counts = [texts.count(text) for text in distinct]
    found: list[int] = similar_groups(distinct, counts, threshold).tolist()
    return [texts.index(distinct[found[distinct.index(text)]]) for text in texts]

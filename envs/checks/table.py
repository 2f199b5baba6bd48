"""The table of checks; the order is that of reports."""

from collections.abc import Mapping
from types import MappingProxyType

from . import copies, form, keys, naming, order, sameness
from .subject import Check

CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "plays": form.plays,
        "five_tuple": form.five_tuple,
        "observation": form.observation,
        "info": form.info,
        "reward": form.reward,
        "caps": form.caps,
        "gymnasium": form.gymnasium,
        "order": order.order,
        "turn_limit": order.turn_limit,
        "any_text": order.any_text,
        "determinism": sameness.determinism,
        "processes": sameness.processes,
        "interleaving": sameness.interleaving,
        "global_rng": sameness.global_rng,
        "snapshot": copies.snapshot,
        "restore": copies.restore,
        "fork": copies.fork,
        "state_key": keys.state_key,
        "state": keys.state,
        "tasks": naming.tasks,
        "seeds": naming.seeds,
        "splits": naming.splits,
    }
)
"""Name -> check. `plays` comes first: nothing else can be checked where it finds something."""

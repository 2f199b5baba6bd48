"""`estimate(steps, name, **options)`: the one door to every estimator, and how to add one.

An estimator is a function of the ordered rows and of an options record; the decorator names it:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Options:
        gamma: Share = 0.95

    @estimator("mine")
    def mine(rows: Ordered, options: Options) -> Parts: ...
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

import numpy as np

from ..errors import BadEstimatorOption, UnknownEstimator, near
from ..ordered import Ordered, ordered
from ..parts import Parts
from ..report import cautions, report
from ..steps import Steps
from ..types import Credit
from .options import option_names, options_from

Function = TypeVar("Function", bound=Callable[[Ordered, Any], Parts])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    run: Callable[[Ordered, Any], Parts]
    record: type[object]


_ENTRIES: dict[str, _Entry] = {}


def estimator(name: str) -> Callable[[Function], Function]:
    """Register a function `(rows: Ordered, options: Record) -> Parts` under a name.

    The record is read from the annotation of the second parameter; its fields are the options.
    Raises `BadEstimatorOption` when another function holds the name.
    """

    def add(function: Function) -> Function:
        held = _ENTRIES.get(name)
        if held is not None and held.run.__qualname__ != function.__qualname__:
            raise BadEstimatorOption(f"the name {name!r} is taken by {held.run.__qualname__}")
        hints = [hint for key, hint in get_type_hints(function).items() if key != "return"]
        _ENTRIES[name] = _Entry(run=function, record=hints[1])
        return function

    return add


def estimator_names() -> tuple[str, ...]:
    """Names that `estimate` accepts, sorted."""
    return tuple(sorted(_ENTRIES))


def estimator_options(name: str) -> tuple[str, ...]:
    """Names of the options that an estimator takes. Raises `UnknownEstimator`."""
    return option_names(_entry(name).record)


def estimate(steps: Steps, name: str = "gigpo", **options: object) -> Credit:
    """Advantages of every row by the named estimator, in the caller's row order.

    Raises `UnknownEstimator` for the name and `BadEstimatorOption` for an option or value.
    """
    entry = _entry(name)
    chosen = options_from(name, entry.record, options)
    began = time.perf_counter()
    rows = ordered(steps)
    parts = entry.run(rows, chosen)
    statistics = report(steps, rows, parts)
    return Credit(
        advantage=steps.spread(parts.advantage),
        episode=steps.spread(parts.episode),
        step=steps.spread(parts.step),
        returns=steps.spread(parts.returns),
        step_group=_step_group(steps, parts),
        report={**statistics, "credit/seconds": time.perf_counter() - began},
        warnings=cautions(steps, rows, parts, statistics),
        parts={name: steps.spread(values) for name, values in parts.extra.items()},
    )


def _step_group(steps: Steps, parts: Parts) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Smallest caller's row of each row's group, -1 for padding."""
    smallest = np.full(parts.groups.count, len(steps))
    np.minimum.at(smallest, parts.groups.ids, steps.order)
    return steps.spread(smallest[parts.groups.ids], padding=-1.0).astype(np.int64)


def _entry(name: str) -> _Entry:
    if name not in _ENTRIES:
        raise UnknownEstimator(
            f"no estimator {name!r}{near(name, _ENTRIES)} There are: {', '.join(estimator_names())}"
        )
    return _ENTRIES[name]

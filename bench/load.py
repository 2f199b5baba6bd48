"""Sessions that step as fast as they are answered: the same load for our server and for others.

Of the standard library only, since other people's interpreters run this file as well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypedDict

Step: TypeAlias = Callable[[], Awaitable[object]]
"""Takes one step in one session."""

ACTION = ("turn the brass key in the lock of the oak door, then listen; " * 9)[:500]


class Figures(TypedDict):
    """What one round measured."""

    steps_per_s: float
    p50_ms: float
    p99_ms: float
    reset_all_s: float
    """From nothing to the first observation of every session."""


async def drive(begin: Callable[[], Awaitable[Sequence[Step]]], seconds: float) -> Figures:
    """Begin all sessions at once, then step each of them, on and on, for so many seconds."""
    asked = time.perf_counter()
    steps = await begin()
    began = time.perf_counter()
    waits = await asyncio.gather(*(_step_until(began + seconds, step) for step in steps))
    ended = time.perf_counter()
    sorted_waits = sorted(wait for own in waits for wait in own)
    count = len(sorted_waits)
    return {
        "steps_per_s": count / (ended - began),
        "p50_ms": 1000 * sorted_waits[count // 2],
        "p99_ms": 1000 * sorted_waits[count * 99 // 100],
        "reset_all_s": began - asked,
    }


async def _step_until(end: float, step: Step) -> list[float]:
    waits: list[float] = []
    asked = time.perf_counter()
    while asked < end or not waits:
        await step()
        answered = time.perf_counter()
        waits.append(answered - asked)
        asked = answered
    return waits

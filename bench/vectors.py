"""Vector environments of ALFWorld: Gymnasium's in processes, and ours in the three places.

Every one is stepped with random admissible actions as its infos list them; the next episode begins
by itself. Starting workers and servers is not counted.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from ..envs import make, make_vec
from ..servers import HostedEnv, LocalServer, ServerSpec

_ENV = "ALFWorld-v0"
VectorMaker: TypeAlias = Callable[[], Any]


def vector_rows(count: int, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """A row per vector environment of so many environments: medians of rounds taken in turn."""
    with LocalServer(ServerSpec(envs=(HostedEnv(id=_ENV),), port=0)) as server:
        makers: dict[str, VectorMaker] = {
            "gymnasium async": partial(_gymnasium_async, count),
            "process": partial(make_vec, _ENV, count, "process", "next_step"),
            "remote": partial(make_vec, _ENV, count, "remote", "next_step", urls=server.url),
            "sync": partial(make_vec, _ENV, count, "sync", "next_step"),
        }
        rates = _rates(makers, seconds, rounds)
    return [_row(name, count, rates) for name in makers]


def _row(name: str, count: int, rates: dict[str, list[float]]) -> dict[str, Any]:
    pairs = zip(rates[name], rates["gymnasium async"], strict=True)
    return {
        "env": _ENV,
        "vector": name,
        "envs": count,
        "steps_per_s": round(statistics.median(rates[name])),
        "of_gymnasium_async": round(statistics.median(ours / theirs for ours, theirs in pairs), 2),
    }


def _gymnasium_async(count: int) -> Any:  # noqa: ANN401
    from gymnasium.vector import AsyncVectorEnv, AutoresetMode

    builders: Sequence[Callable[[], Any]] = [partial(make, _ENV)] * count
    # With shared memory it cannot hold text; forking a process with threads is unsafe.
    return AsyncVectorEnv(
        builders,
        shared_memory=False,
        context="forkserver",
        autoreset_mode=AutoresetMode.NEXT_STEP,
    )


def _rates(makers: dict[str, VectorMaker], seconds: float, rounds: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in makers}
    vectors: dict[str, Any] = {}
    try:
        for name, build in makers.items():
            vectors[name] = build()
            _steps_per_s(vectors[name], seconds / 10)
        for _ in range(rounds):
            for name, vector in vectors.items():
                rates[name].append(_steps_per_s(vector, seconds))
    finally:
        for vector in vectors.values():
            vector.close()
    return rates


def _steps_per_s(vector: Any, seconds: float) -> float:  # noqa: ANN401
    drawn, steps = random.Random(0), 0
    _, infos = vector.reset(seed=0)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        actions = tuple(drawn.choice(listed or ("look",)) for listed in infos["admissible_actions"])
        _, _, _, _, infos = vector.step(actions)
        steps += len(actions)
    return steps / (time.perf_counter() - began)

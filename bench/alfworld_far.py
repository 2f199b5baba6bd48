"""ALFWorld played in process and over HTTP: steps per second, and how long one step takes.

The same random policy plays the same seeds through the same seats, once on environments in this
process and once on a server; both ways list all admissible actions and the state key in every
reply. Wall time counts, so that a busy machine shows.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..envs import Reply, Task
from ..envs.pool import LocalPool, Seat, SeatPool
from ..envs.remote import RemotePool
from ..servers import HostedEnv, LocalServer, ServerSpec

_ENV = "ALFWorld-v0"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a run took."""

    seconds: float = 0.0
    """Spent stepping; resets are apart."""
    reset_all_s: float = 0.0
    """Longest reset of all sessions at once."""
    waits_s: list[float] = field(default_factory=list[float])
    """Duration of each step, as its player saw it."""

    @property
    def rate(self) -> float:
        """Steps per second."""
        return len(self.waits_s) / self.seconds


def alfworld_rows(counts: Sequence[int], seconds: float, rounds: int) -> list[dict[str, Any]]:
    """A row per number of sessions: medians of rounds that alternate between near and far."""
    with LocalServer(ServerSpec(envs=(HostedEnv(id=_ENV),), port=0)) as server:
        asyncio.run(_measure(RemotePool([server.url], _ENV, {}), min(counts), 0.0))
        return [_row(server.url, count, seconds, rounds) for count in counts]


def _row(url: str, count: int, seconds: float, rounds: int) -> dict[str, Any]:
    pairs: list[tuple[Tally, Tally]] = []
    for _ in range(rounds):
        near = asyncio.run(_measure(LocalPool(_ENV, {}), count, seconds))
        far = asyncio.run(_measure(RemotePool([url], _ENV, {}), count, seconds))
        pairs.append((near, far))
    waits = sorted(wait for _, far in pairs for wait in far.waits_s)
    return {
        "env": _ENV,
        "sessions": count,
        "in_process_steps_per_s": round(statistics.median(near.rate for near, _ in pairs)),
        "http_steps_per_s": round(statistics.median(far.rate for _, far in pairs)),
        "of_in_process": round(statistics.median(far.rate / near.rate for near, far in pairs), 3),
        "p50_ms": round(1000 * waits[len(waits) // 2], 3),
        "p99_ms": round(1000 * waits[len(waits) * 99 // 100], 3),
        "reset_all_s": round(statistics.median(far.reset_all_s for _, far in pairs), 3),
    }


async def _measure(pool: SeatPool, count: int, seconds: float) -> Tally:
    async with pool:
        seats = await pool.open(count)
        await _play_round(seats, Tally())
        tally = Tally()
        while tally.seconds < seconds:
            await _play_round(seats, tally)
        return tally


async def _play_round(seats: Sequence[Seat], tally: Tally) -> None:
    """One episode in each seat: first all resets, then all steps."""
    began = time.perf_counter()
    tasks = [Task(env=_ENV, seed=index) for index in range(len(seats))]
    replies = await asyncio.gather(*map(_reset, seats, tasks))
    reset_done = time.perf_counter()
    players = zip(seats, replies, range(len(seats)), strict=True)
    await asyncio.gather(*(_player(*player, tally.waits_s) for player in players))
    tally.reset_all_s = max(tally.reset_all_s, reset_done - began)
    tally.seconds += time.perf_counter() - reset_done


async def _reset(seat: Seat, task: Task) -> Reply:
    return await seat.reset(task)


async def _player(seat: Seat, reply: Reply, index: int, waits_s: list[float]) -> None:
    rng = random.Random(index)
    while not reply.done:
        action = rng.choice(reply.admissible_actions or ("look",))
        asked = time.perf_counter()
        reply = await seat.step(action)
        waits_s.append(time.perf_counter() - asked)
        # In process nothing waits: the others are to have their turn all the same.
        await asyncio.sleep(0)

"""ALFWorld played in process and over HTTP: steps per second, and how long one step takes.

The same random policy plays the same seeds through the same seats, once on environments in this
process and once on a server in a child process; both ways list all admissible actions and the
state key in every reply. Wall time counts, so that a busy machine shows.
"""

import asyncio
import random
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


def run(*, quick: bool) -> dict[str, Any]:
    """One row per way to play and number of sessions."""
    counts = (16, 128) if quick else (1, 16, 64, 128, 512)
    seconds = 2.0 if quick else 10.0
    rows: list[dict[str, Any]] = []
    with LocalServer(ServerSpec(envs=(HostedEnv(id=_ENV),), port=0)) as server:
        for count in counts:
            near = asyncio.run(_measure(LocalPool(_ENV, {}), count, seconds))
            far = asyncio.run(_measure(RemotePool([server.url], _ENV, {}), count, seconds))
            share = _rate(far) / _rate(near)
            rows += [_row("in process", count, near, 1.0), _row("http", count, far, share)]
    notes = [
        "random play in lockstep; one process in process, two over HTTP (client and server)",
        "goal: 3,000 steps/s over HTTP at 128 sessions on free cores",
    ]
    return {"name": "servers", "rows": rows, "notes": notes}


async def _measure(pool: SeatPool, count: int, seconds: float) -> Tally:
    async with pool:
        seats = await pool.open(count)
        await _play_round(seats, Tally(), first_seed=0)
        tally = Tally()
        while tally.seconds < seconds:
            await _play_round(seats, tally, first_seed=0)
        return tally


async def _play_round(seats: Sequence[Seat], tally: Tally, first_seed: int) -> None:
    """One episode in each seat: first all resets, then all steps."""
    began = time.perf_counter()
    tasks = [Task(env=_ENV, seed=first_seed + index) for index in range(len(seats))]
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


def _rate(tally: Tally) -> float:
    return len(tally.waits_s) / tally.seconds


def _row(door: str, sessions: int, tally: Tally, share: float) -> dict[str, Any]:
    waits = sorted(tally.waits_s)
    return {
        "env": _ENV,
        "door": door,
        "sessions": sessions,
        "steps_per_s": round(_rate(tally)),
        "of_in_process": round(share, 3),
        "p50_ms": round(1000 * waits[len(waits) // 2], 3),
        "p99_ms": round(1000 * waits[len(waits) * 99 // 100], 3),
        "reset_all_s": round(tally.reset_all_s, 3),
    }

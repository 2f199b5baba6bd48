"""Our server beside a stock OpenEnv server, ALFWorld over HTTP, and vector environments.

The first table is the comparison: the same echo, the same action of 500 characters, each server
with its own client in a process of its own, one round of theirs and one of ours in turn. A round
connects and resets all sessions at once, then steps each as fast as it is answered. The table of
doors has our client by the socket over our client by requests, measured alike.
"""

import asyncio
import functools
import statistics
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..envs import Task
from ..envs.remote import ClientSpec, RemotePool
from ..servers import HostedEnv, LocalServer, ServerSpec
from .alfworld_far import alfworld_rows
from .load import ACTION, Figures, Step, drive
from .openenv_stock import NoStock, Stock, stock_python
from .vectors import vector_rows

_ENV = "Echo-v0"
_SESSIONS = (1, 16, 128, 512)
_GOALS = (
    "goals on two free cores: at 512 sessions 5,000 steps/s, ten times OpenEnv's, all reset in "
    "0.5 s; ALFWorld over HTTP at 128 sessions 3,000 steps/s"
)
_TIMES = ("p50_ms", "p99_ms", "reset_all_s")
Measure: TypeAlias = Callable[[int, float], Figures]
_Table: TypeAlias = list[dict[str, Any]]


def run(*, quick: bool, sessions: Sequence[int] = ()) -> dict[str, Any]:
    """Rows of the comparison, ratios and the two other tables beside them.

    `sessions` replaces the numbers of sessions, and leaves out what is no matter of sessions.
    """
    rounds, seconds = (1, 0.2) if quick else (5, 3.0)
    counts = tuple(sessions) or ((16,) if quick else _SESSIONS)
    rows, (ratios, doors), why = _compared(counts, seconds, rounds)
    far = tuple(sessions) or ((16,) if quick else (16, 128, 512))
    tables = {"ratios": ratios, "doors": doors, "alfworld": alfworld_rows(far, seconds, rounds)}
    if not sessions:
        tables["vectors"] = vector_rows(2 if quick else 16, seconds, rounds)
    notes = [
        f"rows are medians of {rounds} rounds of {seconds:g} s, ratios those of pairs of rounds",
        "reset_all_s is from nothing to the first observation of every session",
        _GOALS,
        *([f"no rows of openenv: {why}"] if why else []),
    ]
    return {"name": "servers", "rows": rows, "tables": tables, "notes": notes}


def _compared(
    counts: Sequence[int], seconds: float, rounds: int
) -> tuple[_Table, tuple[_Table, _Table], str]:
    """Rows, ratios of servers and of doors, and why a side is missing."""
    spec = ServerSpec(envs=(HostedEnv(id=_ENV),), port=0, imports=("gigym.bench.echo",))
    with LocalServer(spec) as server:
        doors = {
            "requests": _by(server.url, ClientSpec(socket_sessions=0)),
            "socket": _by(server.url, ClientSpec(socket_sessions=max(counts))),
        }
        ours = {"gigym": _by(server.url, ClientSpec())}
        _, by_socket = _in_turn(doors, counts, seconds, rounds)
        try:
            with Stock(stock_python(), sessions=max(counts)) as stock:
                rows, ratios = _in_turn({"openenv": stock.measure, **ours}, counts, seconds, rounds)
                return rows, (ratios, by_socket), ""
        except NoStock as error:
            rows, ratios = _in_turn(ours, counts, seconds, rounds)
            return rows, (ratios, by_socket), str(error)


def _in_turn(
    servers: dict[str, Measure], counts: Sequence[int], seconds: float, rounds: int
) -> tuple[_Table, _Table]:
    """Rows of each, and ratios of the second over the first where there are two."""
    rows: _Table = []
    ratios: _Table = []
    for measure in servers.values():
        measure(min((16, *counts)), seconds / 3)
    for count in counts:
        taken: dict[str, list[Figures]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, measure in servers.items():
                taken[name].append(measure(count, seconds))
        rows += [_row(name, count, figures) for name, figures in taken.items()]
        if len(taken) > 1:
            first, second = taken.values()
            ratios.append(_ratio(count, second, first))
    return rows, ratios


def _row(server: str, sessions: int, rounds: Sequence[Figures]) -> dict[str, Any]:
    return {
        "server": server,
        "sessions": sessions,
        "steps_per_s": round(statistics.median(each["steps_per_s"] for each in rounds)),
        "p50_ms": round(statistics.median(each["p50_ms"] for each in rounds), 3),
        "p99_ms": round(statistics.median(each["p99_ms"] for each in rounds), 3),
        "reset_all_s": round(statistics.median(each["reset_all_s"] for each in rounds), 3),
    }


def _ratio(sessions: int, ours: Sequence[Figures], theirs: Sequence[Figures]) -> dict[str, Any]:
    """Ours over theirs, in pairs of rounds."""
    pairs = list(zip(ours, theirs, strict=True))
    speed = [us["steps_per_s"] / them["steps_per_s"] for us, them in pairs]
    return {
        "sessions": sessions,
        "steps_per_s": round(statistics.median(speed), 2),
        "least": round(min(speed), 2),
        "most": round(max(speed), 2),
        **{
            name: round(statistics.median(u[name] / t[name] for u, t in pairs), 3)
            for name in _TIMES
        },
    }


def _by(url: str, client: ClientSpec) -> Measure:
    def measure(sessions: int, seconds: float) -> Figures:
        return asyncio.run(_round(url, client, sessions, seconds))

    return measure


async def _round(url: str, client: ClientSpec, sessions: int, seconds: float) -> Figures:
    async with RemotePool([url], _ENV, {}, client=client) as pool:

        async def begin() -> list[Step]:
            seats = await pool.open(sessions)
            tasks = [Task(env=_ENV, seed=seed) for seed in range(sessions)]
            await asyncio.gather(*(s.reset(t) for s, t in zip(seats, tasks, strict=True)))
            return [functools.partial(seat.step, ACTION) for seat in seats]

        return await drive(begin, seconds)

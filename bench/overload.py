"""How much of its work a server still does when far too many want it, or when clients stall.

Clients of one connection each lease a session, play an episode of twenty steps, close it, and begin
again; refused ones come back after the wait that they are told. First as many as the server has
sessions, then four times as many. Then few clients alone, and beside two hundred that stall: half
of them send a byte a second, half ask on and on without reading an answer. Rounds alternate and
the medians are compared, so that a busy machine hurts both alike.
"""

import asyncio
import contextlib
import json
import os
import random
import socket
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..servers import HostedEnv, Limits, LocalServer, ServerSpec

_SESSIONS = 64
_STEPS = 20
_STALLED = 200
_FEW = 16
_ASKED = 10
_LIMITS = Limits(sessions=_SESSIONS, connections=2 * _SESSIONS)
_ROOMY = Limits(connections=2 * _STALLED)
_DROP_S = 1.0


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the clients of one round met."""

    steps: int = 0
    """Steps of episodes that came to their end."""
    cpu_s: float = 0.0
    """What the server's process spent meanwhile; 0 where the system does not tell."""
    answers: Counter[int] = field(default_factory=Counter[int])
    """By HTTP status; 0: the connection was refused or lost."""


class Line:
    """One connection of a client."""

    def __init__(self, url: str, tally: Tally) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self._tally = tally
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, tree: object) -> tuple[int, dict[str, Any]]:
        """Status and answer; 0 where the connection is gone."""
        try:
            status, body = await self._asked(_request(path, json.dumps(tree).encode()))
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            status, body = 0, b"{}"
        self._tally.answers[status] += 1
        return status, json.loads(body)

    def close(self) -> None:
        """Let go of the connection; the next call opens another."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _asked(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if b"connection: close" in head:
            self.close()
        return int(head.split()[1]), body


def run(*, quick: bool) -> dict[str, Any]:
    """One row per case: clients, finished steps a second, and the share of the case before."""
    seconds, rounds = (0.5, 1) if quick else (5.0, 5)
    with _server(_LIMITS) as server:
        crowd = asyncio.run(_crowds(server, seconds, rounds))
    with _server(_ROOMY) as server:
        stalled = asyncio.run(_stalls(server, seconds, rounds))
    notes = [
        f"{_SESSIONS} sessions; refused clients get 429, or 503 where connections ran out",
        "goals: 4x keeps 0.8 of the peak; stalled clients cost the others less than 0.1",
        "the clients run on the same cores as the server; steps per second of its own CPU time "
        "tell what it can do where others use the machine as well",
    ]
    return {"name": "overload", "rows": crowd + stalled, "notes": notes}


def _server(limits: Limits) -> LocalServer:
    env = HostedEnv(id="Echo-v0")
    return LocalServer(
        ServerSpec(envs=(env,), port=0, imports=("gigym.bench.echo",), limits=limits)
    )


async def _crowds(server: LocalServer, seconds: float, rounds: int) -> list[dict[str, Any]]:
    peak, crowd = Tally(), Tally()
    rates: dict[str, list[float]] = {"peak": [], "4x": []}
    for _ in range(rounds):
        rates["peak"].append(await _round(server, _SESSIONS, seconds, peak))
        rates["4x"].append(await _round(server, 4 * _SESSIONS, seconds, crowd))
    return [
        _row("peak", _SESSIONS, rates["peak"], rates["peak"], peak),
        _row("4x overload", 4 * _SESSIONS, rates["4x"], rates["peak"], crowd),
    ]


async def _stalls(server: LocalServer, seconds: float, rounds: int) -> list[dict[str, Any]]:
    alone, beside = Tally(), Tally()
    rates: dict[str, list[float]] = {"alone": [], "beside": []}
    for _ in range(rounds):
        rates["alone"].append(await _round(server, _FEW, seconds, alone))
        async with _stalling(server.url):
            rates["beside"].append(await _round(server, _FEW, seconds, beside))
    return [
        _row("alone", _FEW, rates["alone"], rates["alone"], alone),
        _row(f"beside {_STALLED} stalled", _FEW, rates["beside"], rates["alone"], beside),
    ]


async def _round(server: LocalServer, clients: int, seconds: float, tally: Tally) -> float:
    """Finished steps a second."""
    began, before, spent = time.perf_counter(), tally.steps, _cpu_s(server.pid)
    end, url = began + seconds, server.url
    await asyncio.gather(*(_client(url, end, random.Random(i), tally) for i in range(clients)))
    tally.cpu_s += _cpu_s(server.pid) - spent
    return (tally.steps - before) / (time.perf_counter() - began)


def _cpu_s(pid: int) -> float:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


async def _client(url: str, end: float, rng: random.Random, tally: Tally) -> None:
    line = Line(url, tally)
    while time.perf_counter() < end:
        status, answer = await line.post("/v1/sessions", {"env": "Echo-v0", "wait_s": 1.0})
        if status == 201:
            done = await _episode(line, answer["sessions"][0]["sid"])
            tally.steps += done
        else:
            wait_ms = answer.get("error", {}).get("detail", {}).get("retry_after_ms", 200)
            left = max(0.0, end - time.perf_counter())
            await asyncio.sleep(min(left, wait_ms / 1000 * rng.uniform(0.5, 1.5)))
    line.close()


async def _episode(line: Line, sid: str) -> int:
    """Steps of an episode that was answered to its end."""
    await line.post("/v1/reset", {"items": [{"sid": sid, "ep": 0, "seed": 1}]})
    done = 0
    for n in range(_STEPS):
        item = {"sid": sid, "ep": 1, "n": n, "action": "say it again"}
        status, answer = await line.post("/v1/step", {"items": [item]})
        done += status == 200 and "reply" in answer["results"][0]
    await line.post("/v1/close", {"items": [{"sid": sid}]})
    return done


async def _settled(url: str) -> None:
    """Until the server has done what the stalled clients asked before they stalled."""
    line, quick = Line(url, Tally()), 0
    while quick < 10:
        await asyncio.sleep(0.1)
        asked = time.perf_counter()
        await line.post("/v1/step", {"items": []})
        quick = quick + 1 if time.perf_counter() - asked < 0.05 else 0
    line.close()


@contextlib.asynccontextmanager
async def _stalling(url: str) -> AsyncGenerator[None, None]:
    """Clients that stall, for as long as the block lasts."""
    ways: list[Coroutine[Any, Any, None]] = [
        _drip(url) if number % 2 else _deaf(url) for number in range(_STALLED)
    ]
    tasks = [asyncio.create_task(way) for way in ways]
    await _settled(url)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drip(url: str) -> None:
    """A byte a second, again and again."""
    whole = _request("/v1/step", b'{"items":[]}')
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
            try:
                for byte in whole:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(_DROP_S)
            finally:
                writer.transport.abort()


async def _deaf(url: str) -> None:
    """Asks for more than the buffers on the way hold, and reads nothing of it."""
    loop = asyncio.get_running_loop()
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        await loop.sock_connect(line, (urlsplit(url).hostname, urlsplit(url).port))
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        await loop.sock_sendall(line, ask * _ASKED)
        await asyncio.sleep(3600)


def _request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _row(
    case: str, clients: int, rates: list[float], base: list[float], tally: Tally
) -> dict[str, Any]:
    refused = tally.answers[429] + tally.answers[503]
    return {
        "case": case,
        "clients": clients,
        "steps_per_s": round(statistics.median(rates)),
        "steps_per_server_cpu_s": round(tally.steps / tally.cpu_s) if tally.cpu_s else None,
        "share": round(statistics.median(rates) / statistics.median(base), 3),
        "refused": refused,
        "lost": tally.answers[0],
        "other": sum(tally.answers.values())
        - tally.answers[200]
        - tally.answers[201]
        - refused
        - tally.answers[0],
    }

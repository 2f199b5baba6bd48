"""`/metrics`: what a server did and holds, in the text format of Prometheus.

The hooks count in plain numbers, since they run thousands of times a second; families of
`prometheus_client` are made from them when somebody looks. Each host has a registry of its own.
"""

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Metric, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from .faults import REFUSED
from .watch import Cut, End, EpisodeEnd, Watch

_BOUNDS_S = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STATM = Path("/proc/self/statm")

router = APIRouter(responses=REFUSED)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> PlainTextResponse:
    """Counters and gauges for Prometheus."""
    told: Metrics = request.app.state.host.metrics
    return PlainTextResponse(generate_latest(told.registry), media_type=_CONTENT_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a server holds at the moment, beside its sessions."""

    queue_depth: int
    """Requests that wait for a free session."""
    workers: tuple[int, ...] = ()
    """Process ids."""
    draining: bool = False


class Metrics(Watch, Collector):
    """Counts what happens; `envs` are listed even while nothing happens in them."""

    def __init__(self, envs: Sequence[str], standing: Callable[[], Standing]) -> None:
        self.registry = CollectorRegistry()
        self._standing = standing
        self._alive = Counter[str](dict.fromkeys(envs, 0))
        self._ended = Counter[tuple[str, ...]]()
        self._steps = Counter[str](dict.fromkeys(envs, 0))
        self._episodes = Counter[str](dict.fromkeys(envs, 0))
        self._codes = Counter[str]()
        self._cuts = Counter[str]({"observation": 0, "episode": 0})
        self._seconds = 0.0
        self._buckets = [0] * (len(_BOUNDS_S) + 1)
        self._replayed = 0
        self._workers_lost = 0
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def created(self, sid: str, env: str) -> None:
        """Count a session in."""
        self._alive[env] += 1

    def ended(self, sid: str, env: str, how: End) -> None:
        """Count a session out."""
        self._alive[env] -= 1
        self._ended[env, how] += 1

    def stepped(self, env: str, seconds: float) -> None:
        """Count a step and the time it took."""
        self._steps[env] += 1
        self._seconds += seconds
        self._buckets[bisect_left(_BOUNDS_S, seconds)] += 1

    def replayed(self) -> None:
        """Count an answer from memory."""
        self._replayed += 1

    def episode_ended(self, end: EpisodeEnd) -> None:
        """Count an episode."""
        self._episodes[end.env] += 1

    def refused(self, code: str) -> None:
        """Count an error."""
        self._codes[code] += 1

    def cut(self, what: Cut) -> None:
        """Count a limit that was reached."""
        self._cuts[what] += 1

    def worker_lost(self, pid: int, sessions: int) -> None:
        """Count a worker out."""
        self._workers_lost += 1

    def collect(self) -> Iterator[Metric]:
        """Everything, as it stands."""
        yield _gauges("gigym_sessions", "Sessions alive.", self._alive)
        yield _counters("gigym_sessions", "Sessions that ended.", ("env", "end"), self._ended)
        yield _counters("gigym_steps", "Steps taken.", ("env",), self._steps)
        yield _counters("gigym_episodes", "Episodes ended.", ("env",), self._episodes)
        yield HistogramMetricFamily(
            "gigym_step_seconds",
            "Time that environments took for a step.",
            buckets=_cumulated(self._buckets),
            sum_value=self._seconds,
        )
        yield _counters("gigym_errors", "Errors answered.", ("code",), self._codes)
        yield _counters("gigym_cut", "Answers that a limit cut.", ("what",), self._cuts)
        yield CounterMetricFamily("gigym_busy", "Refusals for lack of room.", self._codes["BUSY"])
        yield CounterMetricFamily("gigym_replayed", "Answers from memory.", self._replayed)
        yield CounterMetricFamily("gigym_workers_lost", "Workers that died.", self._workers_lost)
        yield from self._standings()

    def _standings(self) -> Iterator[Metric]:
        standing = self._standing()
        yield _gauge("gigym_queue_depth", "Requests waiting for room.", standing.queue_depth)
        yield _gauge("gigym_workers", "Worker processes.", len(standing.workers))
        yield _gauge("gigym_draining", "1 once no sessions are leased.", standing.draining)
        if _STATM.exists():
            held = sum(resident_bytes(pid) for pid in (os.getpid(), *standing.workers))
            yield _gauge("gigym_rss_bytes", "Resident memory, that of workers included.", held)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 for one that is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _cumulated(buckets: Sequence[int]) -> list[tuple[str, float]]:
    names = (*(str(bound) for bound in _BOUNDS_S), "+Inf")
    return list(zip(names, accumulate(buckets), strict=True))


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value)


def _gauges(name: str, help: str, by_env: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help, labels=("env",))
    for env, number in by_env.items():
        family.add_metric((env,), number)
    return family


def _counters(
    name: str,
    help: str,
    labels: tuple[str, ...],
    numbers: Mapping[str, int] | Mapping[tuple[str, ...], int],
) -> Metric:
    family = CounterMetricFamily(name, help, labels=labels)
    for key, number in numbers.items():
        family.add_metric((key,) if isinstance(key, str) else key, number)
    return family

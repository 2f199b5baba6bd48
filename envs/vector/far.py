"""Environments at env servers; their pools live on an event loop beside ordinary code."""

import asyncio
import json
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..connect.background import LoopThread, borrow_loop, return_loop
from ..connect.meeting import Meeting
from ..connect.pool import seat_pool
from ..connect.target import Target
from ..pool import Seat, SeatPool
from ..remote import ClientSpec
from ..types import Options, Task
from .crew import Answer, CrewSpec, Start

_GRACE_S = 30.0


class RemoteCrew:
    """Sessions of one environment; those with equal options share a pool."""

    def __init__(
        self,
        target: Target,
        each: Sequence[Options],
        spec: CrewSpec,
        client: ClientSpec | None = None,
        met: Meeting | None = None,
    ) -> None:
        self._target, self._met = target, met
        self._client = replace(
            client or ClientSpec(),
            deadline_s=max(spec.step_s, spec.reset_s),
            create_s=spec.start_s,
        )
        self._thread = borrow_loop()
        self._pools: list[SeatPool] = []
        self._end = weakref.finalize(self, _leave, self._thread, self._pools)
        try:
            self._seats = self._thread.run(self._open(each), spec.start_s + _GRACE_S)
        except BaseException:
            self.close()
            raise

    def start(self, starts: Mapping[int, Start]) -> dict[int, Answer]:
        """Begin episodes."""
        tasks = {
            i: Task(env=self._target.env or "", seed=start.seed, options=start.options)
            for i, start in starts.items()
        }
        return self._all({i: self._seats[i].reset(task) for i, task in tasks.items()})

    def answer(self, actions: Mapping[int, str]) -> dict[int, Answer]:
        """Apply actions."""
        return self._all({i: self._seats[i].step(text) for i, text in actions.items()})

    def close(self) -> None:
        """Close the sessions and the connections."""
        self._end()

    def _all(self, calls: Mapping[int, Coroutine[Any, Any, Any]]) -> dict[int, Answer]:
        async def gathered() -> list[Any]:
            return await asyncio.gather(*calls.values(), return_exceptions=True)

        results = self._thread.run(gathered(), self._client.deadline_s + _GRACE_S)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, Exception):
                raise result
        return dict(zip(calls, results, strict=True))

    async def _open(self, each: Sequence[Options]) -> dict[int, Seat]:
        groups: dict[str, list[int]] = {}
        for i, options in enumerate(each):
            groups.setdefault(json.dumps(dict(options), sort_keys=True), []).append(i)
        seats: dict[int, Seat] = {}
        for members in groups.values():
            pool = seat_pool(self._target, each[members[0]], self._client, self._met)
            self._pools.append(pool)
            seats |= dict(zip(members, await pool.open(len(members)), strict=True))
        return seats


def _leave(thread: LoopThread, pools: list[SeatPool]) -> None:
    """Close the sessions; those that cannot be closed end with their leases."""

    async def leave() -> None:
        await asyncio.gather(*(pool.aclose() for pool in pools), return_exceptions=True)

    thread.finish(leave(), lambda: return_loop(thread))

"""The workers of a server: where sessions are placed, and whether there is a place at all."""

import asyncio
from collections.abc import Sequence

from ...envs.wire import Code
from ..errors import WireFault
from ..spec import Limits
from .seat import Plan, Seat
from .spare import Spare
from .worker import Duty, Worker


class Pool:
    """Starts its processes when `open` is called, or when the first session is asked for."""

    def __init__(self, size: int, duty: Duty, limits: Limits) -> None:
        self._size = size
        self._duty = duty
        self._limits = limits
        self._spare = Spare()
        self.workers: list[Worker] = []
        """Empty until opened."""
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run."""
        return tuple(worker.pid for worker in self.workers if worker.pid is not None)

    @property
    def ailing(self) -> str:
        """Why no session can be placed; empty while one can."""
        whys = [worker.ailing for worker in self.workers]
        return whys[0] if whys and all(whys) else ""

    @property
    def starting(self) -> bool:
        """Whether a worker has not been ready yet."""
        return not all(worker.started for worker in self.workers)

    def open(self) -> None:
        """Start the processes; does not wait for them."""
        if not self.workers and not self._closed:
            self.workers = [Worker(self._duty, self._spare) for _ in range(self._size)]

    async def seat(self, plan: Plan, sids: Sequence[str]) -> list[Seat]:
        """Sessions of these names, each in the worker that has the fewest.

        Raises `WireFault` when one of them cannot be built; then there is none of them.
        """
        self.open()
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[bytes]] = []
        seats: list[Seat] = []
        try:
            for sid in sids:
                seats.append(self._place(plan, sid))
                answers.append(loop.create_future())
                seats[-1].build(answers[-1])
            await asyncio.gather(*answers)
            if any(seat.ended for seat in seats):
                # Its worker was given up while its siblings were still being built.
                raise WireFault(Code.WORKER_LOST, f"a worker of {plan.env} ended; lease again")
        except BaseException:
            for answer in answers:
                answer.cancel()
            for seat in seats:
                seat.end()
            raise
        return seats

    async def close(self) -> None:
        """End all processes."""
        self._closed = True
        workers, self.workers = self.workers, []
        await asyncio.gather(*[worker.close() for worker in workers])
        await self._spare.close()

    def _place(self, plan: Plan, sid: str) -> Seat:
        sound = [worker for worker in self.workers if not worker.ailing]
        if self._closed:
            raise WireFault(Code.DRAINING, "this server stops; lease elsewhere")
        if not sound:
            message = f"no worker process runs: {self.ailing}"
            raise WireFault(Code.WORKER_LOST, message)
        worker = min(sound, key=lambda worker: len(worker.seats))
        seat = Seat(sid, plan, worker, self._limits)
        worker.join([seat])
        return seat

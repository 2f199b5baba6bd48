"""The task that steps a `Decoding` until everybody who asked has an answer.

Forward passes run in one thread, so the event loop serves environments meanwhile. It knows pauses,
people who leave early, and passes that fail; deadlines are the affair of whoever asks.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from .admission import Admission
from .decoding import Decoding, Request
from .engine import Completion, FailureCode, GenFailure, PauseMode

Outcome = Completion | GenFailure


class Driver:
    """Requests under way and what moves them; usable from one event loop after another."""

    def __init__(
        self,
        decoding: Decoding,
        admission: Admission,
        live: Callable[[], int],
        stale: Callable[[], bool],
    ) -> None:
        """`live` tells how many episodes are on the roster, `stale` whether weights changed."""
        self.pause_mode: PauseMode | None = None
        self._decoding, self._admission = decoding, admission
        self._live, self._stale = live, stale
        self._answers: dict[Request, asyncio.Future[Outcome]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gigym-hf")
        self._task: asyncio.Task[None] | None = None
        self._news, self._rest = asyncio.Event(), asyncio.Event()

    @property
    def waiting(self) -> tuple[Request, ...]:
        """Those that were not answered yet."""
        return tuple(self._answers)

    def nudge(self) -> None:
        """Something changed that the task may wait for."""
        self._news.set()

    async def serve(self, request: Request) -> Outcome:
        """The request's answer; whoever is cancelled meanwhile gives way to the others."""
        answer = self._answers[request] = asyncio.get_running_loop().create_future()
        self._admission.add(request)
        if self._task is None or self._task.done():
            self._news, self._rest = asyncio.Event(), asyncio.Event()
            self._task = asyncio.create_task(self._drive(), name="gigym-hf")
        self.nudge()
        try:
            return await answer
        finally:
            if self._answers.pop(request, None) is not None:
                self.nudge()

    def abort(self, chosen: Callable[[Request], bool]) -> int:
        """Answer these with what they have; how many there were."""
        gone = [request for request in self._answers if chosen(request)]
        for request in gone:
            self._answer(request, request.completion("abort"))
        self.nudge()
        return len(gone)

    async def rest(self) -> None:
        """Wait until no forward pass runs or will while the pause lasts."""
        if self._task is None or self._task.done():
            return
        self._rest.clear()
        self.nudge()
        rest = asyncio.create_task(self._rest.wait())
        await asyncio.wait({rest, self._task}, return_when=asyncio.FIRST_COMPLETED)
        rest.cancel()

    async def settle(self) -> None:
        """Wait until nothing runs, which must have been arranged for."""
        if self._task is not None and not self._task.done():
            self.nudge()
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Answer what is under way with a failure and stop."""
        if self._task is not None:
            self._task.cancel()
        await self.settle()
        self._thread.shutdown()

    async def _drive(self) -> None:
        """Step until everybody is answered."""
        try:
            while self._answers:
                self._news.clear()
                self._forsake()
                if self.pause_mode is None:
                    self._admission.admit(self._decoding, self._live())
                if self._decoding.live and self.pause_mode != "keep":
                    await self._step()
                else:
                    self._rest.set()
                    await self._news.wait()
        finally:
            self._forsake()
            if self._answers:
                self._fail_all("cancelled", "the engine was stopped")

    async def _step(self) -> None:
        if self._stale():
            self._fail_all("engine_dead", "the weights changed under live requests")
            return
        work = self._thread.submit(self._decoding.step)
        try:
            finished = await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            wait([work])  # the thread must be done with the tables before they are cleared
            raise
        except Exception as error:
            cause = f"the forward pass failed: {type(error).__name__}: {error}"
            self._fail_all("engine_dead", cause, retryable=True)
            return
        for request in finished:
            self._answer(request, request.outcome)

    def _forsake(self) -> None:
        """Give up the requests that nobody awaits any more."""
        self._admission.keep(self._answers.__contains__)
        for request in [r for r in self._decoding.live if r not in self._answers]:
            self._decoding.drop(request)

    def _fail_all(self, code: FailureCode, message: str, *, retryable: bool = False) -> None:
        failure = GenFailure(code=code, message=message, retryable=retryable)
        self._decoding.forget()
        for request in list(self._answers):
            self._answer(request, failure)
        self._forsake()

    def _answer(self, request: Request, outcome: Outcome | None) -> None:
        answer = self._answers.pop(request, None)
        if answer is not None and outcome is not None and not answer.done():
            answer.set_result(outcome)

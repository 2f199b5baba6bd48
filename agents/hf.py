"""The local engine: batched decoding over a transformers model that is the learner's own.

Where the weights are shared a push copies nothing: it names a version and drops what was cached
under the last one. One task drives all requests, forward passes run in one thread, so the event
loop serves environments meanwhile. With `deterministic`, results do not depend on timing, bit for
bit; without it, requests join and leave the batch at any step.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor, wait
from importlib.metadata import version as installed

from torch import nn

from .admission import Admission, Rounds, Stream
from .decoding import Decoding, Request
from .engine import (
    Capabilities,
    Completion,
    FailureCode,
    GenFailure,
    Health,
    PauseMode,
    PushReport,
    Roster,
    WeightSource,
)
from .engine import SamplingSpec as Spec
from .errors import OutOfOrder, PushError, StaleWeights
from .lifecycle import Lifecycle
from .sampling import check_prompt, check_spec, request_random
from .slot_model import SlotModel
from .slots import Ids
from .source import copy_weights

_LEVELS = (1,)
"""Level 2 would drop weights that are the learner's."""


class HFEngine:
    """An `Engine` over one causal LM of transformers."""

    def __init__(
        self,
        model: nn.Module,
        *,
        slots: int = 64,
        max_model_len: int = 1024,
        deterministic: bool = True,
        version: str = "0",
    ) -> None:
        """Raises `UnsupportedModel` for models that it cannot run exactly."""
        self.roster = Roster()
        self.roster.listen(self._nudge)
        self._model = SlotModel(model, slots, max_model_len)
        self._decoding = Decoding(self._model, slots, version)
        self._admission: Admission = Rounds() if deterministic else Stream()
        self._capabilities = _capabilities(self._model, slots, max_model_len)
        self._answers: dict[Request, asyncio.Future[Completion | GenFailure]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gigym-hf")
        self._driver: asyncio.Task[None] | None = None
        self._news, self._rest = asyncio.Event(), asyncio.Event()
        self._life = Lifecycle(_LEVELS, version)

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do."""
        return self._capabilities

    async def generate(
        self, prompt_ids: Ids, spec: Spec, *, request_id: str, deadline_s: float
    ) -> Completion | GenFailure:
        """Sample one completion; the answer, good or bad, comes by `deadline_s`.

        Raises `EngineClosed`, `StaleWeights`, and `ValueError` for ids or settings out of range.
        """
        self._refuse_misuse(prompt_ids, spec)
        needed, longest = len(prompt_ids) + spec.max_tokens, self._capabilities.max_model_len
        if needed > longest:
            return _failure("overflow", f"{request_id} needs {needed} of {longest} positions")
        request = Request(
            name=request_id, prompt=tuple(prompt_ids), spec=spec, random=request_random(spec.seed)
        )
        answer = self._answers[request] = asyncio.get_running_loop().create_future()
        self._admission.add(request)
        self._drive_on()
        try:
            async with asyncio.timeout(deadline_s):
                return await answer
        except TimeoutError:
            return self._late(request, deadline_s)
        finally:
            # Whoever left early gives way to those that wait for it.
            if self._answers.pop(request, None) is not None:
                self._nudge()

    async def push_weights(self, weights: WeightSource, version: str) -> PushReport:
        """Take these weights; the learner's own are only named, others are copied into its model.

        Raises `PushError` while requests are under way unless the engine is paused: those that
        are frozen go on with the new weights after `resume`.
        """
        began = time.perf_counter()
        self._life.check_push(version)
        if self._answers and self._life.pause_mode is None:
            raise PushError(
                f"cannot push version {version!r}: {len(self._answers)} requests are under way "
                "with the weights of the last one; await or cancel them, or pause() the engine"
            )
        if self._life.pause_mode is None:
            await self._settle()
        copied = copy_weights(weights, self._model.learner)
        self._decoding.renew(version)
        self._model.accept_weights()
        self._life.pushed(version)
        took = time.perf_counter() - began
        return PushReport(
            version=version, seconds=took, bytes=copied, verified=True, max_abs_diff=0
        )

    async def pause(self, mode: PauseMode = "keep") -> None:
        """Stop after the forward pass under way; "wait" lets those end that hold a slot."""
        self._life.check_open("pause")
        self._life.pause_mode = "wait" if mode == "wait" else "keep"
        await self._rested()
        if mode == "abort":
            for request in list(self._answers):
                self._answer(request, request.completion("abort"))
            self._nudge()

    async def resume(self) -> None:
        """Go on. Raises `StaleWeights` when the learner stepped and nobody pushed."""
        self._refuse_unpushed()
        self._life.resume()
        self._nudge()

    async def sleep(self, level: int = 1) -> None:
        """Free the cache. Raises `OutOfOrder` while requests are under way."""
        if self._answers:
            raise OutOfOrder(
                f"cannot sleep: {len(self._answers)} requests are under way; await them, or "
                'pause("abort") the engine'
            )
        self._life.sleep(level)
        await self._settle()
        self._decoding.forget()
        self._model.free()

    async def wake(self, tags: tuple[str, ...] | None = None) -> None:
        """The cache is allocated again by the next request."""
        self._life.wake(tags)

    async def health(self) -> Health:
        """Whether it would answer."""
        life = self._life
        return Health(
            ok=not (life.closed or life.asleep or life.fault),
            detail=life.fault or f"{len(self._answers)} requests under way",
            weight_version=life.version,
            paused=life.pause_mode is not None,
            asleep=life.asleep,
        )

    async def close(self) -> None:
        """Answer what is under way with a failure, stop, free the cache."""
        if self._life.closed:
            return
        self._life.closed = True
        if self._driver is not None:
            self._driver.cancel()
        await self._settle()
        self._thread.shutdown()
        self._model.free()

    def _refuse_misuse(self, prompt_ids: Ids, spec: Spec) -> None:
        self._life.check_generate()
        if self._life.pause_mode is None:
            self._refuse_unpushed()
        check_prompt(prompt_ids, self._model.vocabulary)
        check_spec(spec)
        if spec.stop:
            raise ValueError("this engine knows no text: use stop_token_ids in place of stop")

    def _refuse_unpushed(self) -> None:
        if self._model.weights_changed():
            raise StaleWeights(
                f"the weights changed since version {self._life.version!r} was pushed; "
                "await push_weights(weights, version) after every update"
            )

    def _late(self, request: Request, deadline_s: float) -> GenFailure:
        asked = len({waiting.episode for waiting in self._answers})
        return _failure(
            "timeout",
            f"{request.name} was not done within {deadline_s:g} s with {len(request.token_ids)} of "
            f"{request.spec.max_tokens} tokens; {asked} of {self.roster.live} episodes had asked",
            request.completion("abort"),
        )

    def _nudge(self) -> None:
        self._news.set()

    def _drive_on(self) -> None:
        if self._driver is None or self._driver.done():
            self._news, self._rest = asyncio.Event(), asyncio.Event()
            self._driver = asyncio.create_task(self._drive(), name="gigym-hf")
        self._nudge()

    async def _settle(self) -> None:
        """Wait until nothing runs, which must have been arranged for."""
        if self._driver is not None and not self._driver.done():
            self._nudge()
            await asyncio.wait([self._driver])

    async def _rested(self) -> None:
        """Wait until no forward pass runs or will before `resume`."""
        if self._driver is None or self._driver.done():
            return
        self._rest.clear()
        self._nudge()
        rest = asyncio.create_task(self._rest.wait())
        await asyncio.wait({rest, self._driver}, return_when=asyncio.FIRST_COMPLETED)
        rest.cancel()

    async def _drive(self) -> None:
        """Step until everybody is answered."""
        try:
            while self._answers:
                self._news.clear()
                self._forsake()
                if self._life.pause_mode is None:
                    self._admission.admit(self._decoding, self.roster.live)
                if self._decoding.live and self._life.pause_mode != "keep":
                    await self._step()
                else:
                    self._rest.set()
                    await self._news.wait()
        finally:
            self._forsake()
            if self._answers:
                self._fail_all(_failure("cancelled", "the engine was stopped"))

    async def _step(self) -> None:
        if self._model.weights_changed():
            self._fail_all(_failure("engine_dead", "the weights changed under live requests"))
            return
        work = self._thread.submit(self._decoding.step)
        try:
            finished = await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            wait([work])  # the thread must be done with the tables before they are cleared
            raise
        except Exception as error:
            cause = f"the forward pass failed: {type(error).__name__}: {error}"
            self._fail_all(_failure("engine_dead", cause, retryable=True))
            return
        for request in finished:
            self._answer(request, request.outcome)

    def _forsake(self) -> None:
        """Give up the requests that nobody awaits any more."""
        self._admission.keep(self._answers.__contains__)
        for request in [r for r in self._decoding.live if r not in self._answers]:
            self._decoding.drop(request)

    def _fail_all(self, failure: GenFailure) -> None:
        self._decoding.forget()
        for request in list(self._answers):
            self._answer(request, failure)
        self._forsake()

    def _answer(self, request: Request, outcome: Completion | GenFailure | None) -> None:
        answer = self._answers.pop(request, None)
        if answer is not None and outcome is not None and not answer.done():
            answer.set_result(outcome)


def _failure(
    code: FailureCode, message: str, partial: Completion | None = None, *, retryable: bool = False
) -> GenFailure:
    return GenFailure(
        code=code,
        message=message,
        retryable=retryable or code == "timeout",
        partial=partial if partial is not None and partial.token_ids else None,
    )


def _capabilities(model: SlotModel, slots: int, max_model_len: int) -> Capabilities:
    return Capabilities(
        name="hf",
        max_model_len=max_model_len,
        max_concurrency=slots,
        seeds="bitwise" if model.exact else "statistical",
        version=f"transformers {installed('transformers')}",
        in_flight_push=True,
        shares_learner_weights=True,
        sleep_levels=_LEVELS,
    )

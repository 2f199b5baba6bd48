"""The local engine: batched decoding over a transformers model that is the learner's own.

Nothing is copied on a push, since the weights are shared: a push names a version and drops what was
cached under the last one. One task drives all requests, forward passes run in one thread, so the
event loop serves environments meanwhile. With `deterministic`, results do not depend on timing, bit
for bit; without it, requests join and leave the batch at any step.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor, wait

import torch
from torch import nn

from .admission import Admission, Rounds, Stream
from .decoding import Decoding, Request
from .engine import Capabilities, Completion, FailureCode, GenFailure, PushReport, Roster
from .engine import SamplingSpec as Spec
from .errors import EngineClosed, PushError, StaleWeights
from .sampling import check_spec, request_random
from .slot_model import SlotModel
from .slots import Ids


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
        self._news = asyncio.Event()
        self._closed = False

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

    async def push_weights(self, version: str) -> PushReport:
        """Name the learner's present weights. Raises `PushError` while requests are under way."""
        began = time.perf_counter()
        if self._closed:
            raise EngineClosed(f"cannot push version {version!r}: the engine is closed")
        if self._answers:
            raise PushError(
                f"cannot push version {version!r}: {len(self._answers)} requests are under way "
                "with the weights of the last one; await or cancel them first"
            )
        await self._settle()
        self._decoding.forget()
        self._decoding.version = version
        self._model.accept_weights()
        seconds = time.perf_counter() - began
        return PushReport(version=version, seconds=seconds, bytes=0, verified=True, max_abs_diff=0)

    async def close(self) -> None:
        """Answer what is under way with a failure, stop, free the cache."""
        if self._closed:
            return
        self._closed = True
        if self._driver is not None:
            self._driver.cancel()
        await self._settle()
        self._thread.shutdown()
        self._model.free()

    def _refuse_misuse(self, prompt_ids: Ids, spec: Spec) -> None:
        if self._closed:
            raise EngineClosed("the engine is closed; make another one")
        if self._model.weights_changed():
            raise StaleWeights(
                f"the weights changed since version {self._decoding.version!r} was pushed; "
                "await push_weights(version) after every update"
            )
        check_spec(spec)
        vocabulary = self._model.vocabulary
        if not prompt_ids or min(prompt_ids) < 0 or max(prompt_ids) >= vocabulary:
            raise ValueError(
                f"prompt_ids must be one or more ids in 0..{vocabulary - 1}, got "
                f"{len(prompt_ids)} from {min(prompt_ids, default=None)} "
                f"to {max(prompt_ids, default=None)}"
            )

    def _late(self, request: Request, deadline_s: float) -> GenFailure:
        asked = len({waiting.episode for waiting in self._answers})
        return _failure(
            "timeout",
            f"{request.name} was not done within {deadline_s:g} s with {len(request.token_ids)} of "
            f"{request.spec.max_tokens} tokens; {asked} of {self.roster.live} episodes had asked",
            request.completion("abort", self._decoding.version),
        )

    def _nudge(self) -> None:
        self._news.set()

    def _drive_on(self) -> None:
        if self._driver is None or self._driver.done():
            self._news = asyncio.Event()
            self._driver = asyncio.create_task(self._drive(), name="gigym-hf")
        self._nudge()

    async def _settle(self) -> None:
        """Wait until nothing runs, which must have been arranged for."""
        if self._driver is not None and not self._driver.done():
            self._nudge()
            await asyncio.wait([self._driver])

    async def _drive(self) -> None:
        """Step until everybody is answered."""
        try:
            while self._answers:
                self._news.clear()
                self._forsake()
                self._admission.admit(self._decoding, self.roster.live)
                await (self._step() if self._decoding.live else self._news.wait())
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
    exact = model.device.type == "cpu" and model.dtype == torch.float32
    return Capabilities(
        name="hf",
        max_model_len=max_model_len,
        max_concurrency=slots,
        seeds="bitwise" if exact else "statistical",
        shares_learner_weights=True,
    )

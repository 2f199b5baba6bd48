"""The local engine: batched decoding over a transformers model that is the learner's own.

Where the weights are shared a push copies nothing: it names a version and drops what was cached
under the last one. One task drives all requests, forward passes run in one thread, so the event
loop serves environments meanwhile. With `deterministic`, results do not depend on timing, bit for
bit; without it, requests join and leave the batch at any step.
"""

import asyncio
import time
from collections.abc import Collection
from importlib.metadata import version as installed

from torch import nn

from .admission import Rounds, Stream
from .decoding import Decoding, Request
from .driver import Driver
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
        self._model = SlotModel(model, slots, max_model_len)
        self._decoding = Decoding(self._model, slots, version)
        self._capabilities = _capabilities(self._model, slots, max_model_len)
        self._driver = Driver(
            self._decoding,
            Rounds() if deterministic else Stream(),
            live=lambda: self.roster.live,
            stale=self._model.weights_changed,
        )
        self.roster.listen(self._driver.nudge)
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
        try:
            async with asyncio.timeout(deadline_s):
                return await self._driver.serve(request)
        except TimeoutError:
            return self._late(request, deadline_s)

    async def push_weights(self, weights: WeightSource, version: str) -> PushReport:
        """Take these weights; the learner's own are only named, others are copied into its model.

        Raises `PushError` while requests are under way unless the engine is paused: those that
        are frozen go on with the new weights after `resume`.
        """
        began = time.perf_counter()
        self._life.check_push(version)
        under_way = len(self._driver.waiting)
        if under_way and self._life.pause_mode is None:
            raise PushError(
                f"cannot push version {version!r}: {under_way} requests are under way "
                "with the weights of the last one; await or cancel them, or pause() the engine"
            )
        if self._life.pause_mode is None:
            await self._driver.settle()
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
        self._life.pause_mode = mode
        self._driver.pause_mode = "wait" if mode == "wait" else "keep"
        await self._driver.rest()
        if mode == "abort":
            self._driver.abort(lambda request: True)

    async def resume(self) -> None:
        """Go on. Raises `StaleWeights` when the learner stepped and nobody pushed."""
        self._refuse_unpushed()
        self._life.resume()
        self._driver.pause_mode = None
        self._driver.nudge()

    def abort(self, request_ids: Collection[str]) -> int:
        """End these requests with what they have; how many of them were under way."""
        return self._driver.abort(lambda request: request.name in request_ids)

    async def forget(self, *, running: bool = False) -> bool:
        """Drop what is cached; False, and nothing done, while requests run on it.

        With `running` those compute their contexts again.
        """
        if self._decoding.live and not running:
            return False
        mode, self._driver.pause_mode = self._driver.pause_mode, "keep"
        await self._driver.rest()
        self._decoding.renew(self._life.version)
        self._driver.pause_mode = mode
        self._driver.nudge()
        return True

    async def sleep(self, level: int = 1) -> None:
        """Free the cache. Raises `OutOfOrder` while requests are under way."""
        if self._driver.waiting:
            raise OutOfOrder(
                f"cannot sleep: {len(self._driver.waiting)} requests are under way; await them, or "
                'pause("abort") the engine'
            )
        self._life.sleep(level)
        await self._driver.settle()
        self._decoding.forget()
        self._model.free()

    async def wake(self, tags: tuple[str, ...] | None = None) -> None:
        """The cache is allocated again by the next request."""
        self._life.wake(tags)

    async def health(self) -> Health:
        """Whether it would answer."""
        return self._life.health(f"{len(self._driver.waiting)} requests under way")

    async def close(self) -> None:
        """Answer what is under way with a failure, stop, free the cache."""
        if self._life.closed:
            return
        self._life.closed = True
        await self._driver.close()
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
        # The one that is late has left already and counts among those that asked.
        asked = len({waiting.episode for waiting in (*self._driver.waiting, request)})
        return _failure(
            "timeout",
            f"{request.name} was not done within {deadline_s:g} s with {len(request.token_ids)} of "
            f"{request.spec.max_tokens} tokens; {asked} of {self.roster.live} episodes had asked",
            request.completion("abort"),
        )


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

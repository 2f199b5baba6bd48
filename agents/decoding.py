"""Batched decoding, one forward pass at a time: requests in, finished requests out.

Knows nothing of waiting, deadlines or fairness. A request that was admitted owns a slot until it
is finished or dropped; its pending tokens are fed, and each forward pass that reaches the end of
them samples its next token. Prompts are fed before anybody decodes, so that the rows of a decode
step are as many as can be.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from torch import Tensor

from .cache import Chunk
from .engine import Completion, FinishReason, GenFailure, SamplingSpec
from .sampling import draw
from .slot_model import SlotModel
from .slots import Ids, SlotTable

PREFILL_CELLS = 4096
"""Most cells, rows times longest chunk, of a forward pass that feeds prompts."""


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """One completion under way."""

    name: str
    """The `request_id`, `<episode>/<turn>`."""
    prompt: Ids
    spec: SamplingSpec
    random: Random
    """The request's own generator: one number per token, whoever shares the batch."""
    slot: int = -1
    cached: int = 0
    """Prompt tokens found in the slot."""
    fed: int = 0
    """Positions whose keys and values are in the slot."""
    pending: Ids = ()
    """Tokens to feed from there on."""
    token_ids: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    versions: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """The weights that sampled from each position on."""
    outcome: Completion | GenFailure | None = None

    @property
    def episode(self) -> str:
        """Whose cached turns it may reuse."""
        return self.name.rpartition("/")[0] or self.name

    def accept(self, token: int, logprob: float, version: str) -> None:
        """Append a token sampled by weights known as `version`."""
        if not self.versions or self.versions[-1][0] != version:
            self.versions.append((version, len(self.token_ids)))
        self.token_ids.append(token)
        self.logprobs.append(logprob)
        self.pending = (token,)

    def start_over(self) -> None:
        """Feed everything again, as after a change of weights."""
        self.fed, self.cached = 0, 0
        self.pending = (*self.prompt, *self.token_ids)

    def completion(self, finish_reason: FinishReason) -> Completion:
        """What was sampled up to here."""
        count = len(self.logprobs)  # appended last, and perhaps by another thread
        starts = [(v, start) for v, start in self.versions if start < count]
        ends = [*(start for _, start in starts[1:]), count]
        return Completion(
            token_ids=tuple(self.token_ids[:count]),
            logprobs=tuple(self.logprobs[:count]),
            finish_reason=finish_reason,
            weight_versions=tuple(
                (v, start, e) for (v, start), e in zip(starts, ends, strict=False)
            ),
            prompt_tokens=len(self.prompt),
            cached_tokens=self.cached,
        )


class Decoding:
    """The requests that own slots."""

    def __init__(self, model: SlotModel, slots: int, version: str) -> None:
        self.version = version
        self.live: list[Request] = []
        self._model = model
        self._table = SlotTable(slots)

    def holds(self, request: Request) -> bool:
        """Whether earlier turns of the request's episode are still cached."""
        return self._table.holds(request.episode)

    def admit(self, request: Request) -> bool:
        """Give the request a slot; False while all are taken."""
        lease = self._table.acquire(request.episode, request.prompt)
        if lease is None:
            return False
        request.slot, request.cached, request.fed = lease.slot, lease.reused, lease.reused
        request.pending = request.prompt[lease.reused :]
        self.live.append(request)
        return True

    def drop(self, request: Request) -> None:
        """Take the slot back; what was computed stays usable."""
        self.live.remove(request)
        context = request.prompt + tuple(request.token_ids)
        self._table.release(request.slot, context[: request.fed])

    def forget(self) -> None:
        """Drop everybody and trust nothing cached."""
        self.live.clear()
        self._table.forget()

    def renew(self, version: str) -> None:
        """Other weights from here on: nothing cached is trusted, whoever is live goes on."""
        self.version = version
        self._table.forget_idle()
        for request in self.live:
            request.start_over()

    def step(self) -> tuple[Request, ...]:
        """One forward pass; the requests it finished, `outcome` set, slots returned."""
        batch, longest = self._next_batch()
        chunks = [Chunk(slot=r.slot, start=r.fed, ids=r.pending[:longest]) for r in batch]
        logits_BV = self._model.logits(chunks)
        for request, chunk in zip(batch, chunks, strict=True):
            request.fed += len(chunk.ids)
            request.pending = request.pending[len(chunk.ids) :]
        ready = [index for index, request in enumerate(batch) if not request.pending]
        if not ready:
            return ()
        sampling = [batch[index] for index in ready]
        self._sample(logits_BV if len(ready) == len(batch) else logits_BV[ready], sampling)
        finished = tuple(request for request in sampling if request.outcome is not None)
        for request in finished:
            self.drop(request)
        return finished

    def _next_batch(self) -> tuple[list[Request], int]:
        """Who takes part in the next pass, in slot order, and how many tokens each at most."""
        feeding = [request for request in self.live if len(request.pending) > 1]
        longest = 1
        if feeding:
            # Longest first: chunks of like length waste the fewest cells.
            feeding.sort(key=lambda request: (-len(request.pending), request.slot))
            longest = min(len(feeding[0].pending), PREFILL_CELLS)
            feeding = feeding[: PREFILL_CELLS // longest]
        return sorted(feeding or self.live, key=lambda request: request.slot), longest

    def _sample(self, logits_BV: Tensor, requests: Sequence[Request]) -> None:
        specs = [request.spec for request in requests]
        uniforms = [request.random.random() for request in requests]
        tokens, logprobs = draw(logits_BV, specs, uniforms)
        for request, token, logprob in zip(requests, tokens, logprobs, strict=True):
            request.outcome = self._accept(request, token, logprob)

    def _accept(
        self, request: Request, token: int, logprob: float
    ) -> Completion | GenFailure | None:
        """Append a sampled token; the outcome, when it ends the request."""
        if not math.isfinite(logprob):
            # Not a number in the cache would outlive the request, even behind the mask.
            self._model.clear(request.slot)
            request.fed = 0
            return GenFailure(
                code="bad_output",
                message=f"{request.name}: the model gives no distribution, logprob {logprob}",
                retryable=False,
                partial=request.completion("abort"),
            )
        request.accept(token, logprob, self.version)
        if token in request.spec.stop_token_ids:
            return request.completion("stop")
        if len(request.token_ids) == request.spec.max_tokens:
            return request.completion("length")
        return None

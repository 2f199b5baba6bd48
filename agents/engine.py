"""The one interface behind which policies generate: token ids in, token ids and logprobs out.

One request is one coroutine; batching is the engine's business. Failures are values
(`GenFailure`), exceptions are programmer errors. `request_id` is `<episode>/<turn>`: engines that
keep caches may use the part before the last slash to find what they computed for the episode's
earlier turns, and always compare token ids before they trust it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

FinishReason = Literal["stop", "length", "abort"]
FailureCode = Literal["timeout", "engine_dead", "overflow", "cancelled", "bad_output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSpec:
    """How one completion is drawn."""

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    """Seed of this request's own generator; None draws a fresh one."""
    stop_token_ids: tuple[int, ...] = ()
    greedy: bool = False
    """Take the most likely token; logprobs are then of the unscaled softmax, never trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What was sampled."""

    token_ids: tuple[int, ...]
    """Sampled ids; a sampled stop token is part of them."""
    logprobs: tuple[float, ...]
    """Log-probability each id was drawn with, after temperature."""
    finish_reason: FinishReason
    weight_versions: tuple[tuple[str, int, int], ...]
    """Spans `(version, start, end)` over the output positions."""
    prompt_tokens: int
    cached_tokens: int | None = None
    """Prompt tokens that were not computed again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenFailure:
    """Why there is no completion."""

    code: FailureCode
    message: str
    retryable: bool
    partial: Completion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an engine can do; the trainer reads this and never the class."""

    name: str
    max_model_len: int
    max_concurrency: int
    logprobs: Literal["processed", "raw"] = "processed"
    seeds: Literal["bitwise", "statistical", "none"] = "bitwise"
    prefix_cache: bool = True
    in_flight_push: bool = False
    shares_learner_weights: bool = False
    sampling_mask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What a weight push did."""

    version: str
    seconds: float
    bytes: int
    verified: bool
    max_abs_diff: float


class Roster:
    """How many episodes are under way: a rollout writes it, a deterministic engine waits on it.

    An engine that must not depend on arrival order starts a forward only when every live episode
    has asked or ended, that is when its waiting requests number `live`.
    """

    def __init__(self) -> None:
        self.live = 0
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change."""
        self._listeners.append(listener)

    def enter(self, episodes: int = 1) -> None:
        """Announce episodes that will ask."""
        self._change(episodes)

    def leave(self) -> None:
        """One episode ended, for whatever reason."""
        self._change(-1)

    def _change(self, by: int) -> None:
        self.live += by
        for listener in self._listeners:
            listener()


class Engine(Protocol):
    """A source of completions."""

    roster: Roster
    """The episodes it serves; written by the rollout."""

    @property
    def capabilities(self) -> Capabilities:
        """What this engine can do."""
        ...

    async def generate(
        self, prompt_ids: tuple[int, ...], spec: SamplingSpec, *, request_id: str, deadline_s: float
    ) -> Completion | GenFailure:
        """Sample one completion; every wait ends at `deadline_s`. Cancelling frees its memory."""
        ...

    async def push_weights(self, version: str) -> PushReport:
        """Use the learner's present weights, known as `version` from here on."""
        ...

    async def close(self) -> None:
        """Stop and free; calling twice is fine."""
        ...

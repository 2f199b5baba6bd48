"""The one interface behind which policies generate: token ids in, token ids and logprobs out.

One request is one coroutine; batching is the engine's business. Failures are values
(`GenFailure`), exceptions are programmer errors. `request_id` is `<episode>/<turn>`: engines that
keep caches may use the part before the last slash to find what they computed for the episode's
earlier turns, and always compare token ids before they trust it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor

FinishReason = Literal["stop", "length", "abort"]
FailureCode = Literal["timeout", "engine_dead", "overflow", "cancelled", "bad_output"]
PauseMode = Literal["keep", "wait", "abort"]
"""What a pause does to requests under way: freeze them, let them end, end them with what they have.
"""


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
    stop: tuple[str, ...] = ()
    """Texts that end the reply where the engine can; the ids sampled for them stay part of it."""
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
    sampling_mask: tuple[tuple[int, ...], ...] | None = None
    """Per token, the ids it was drawn from under top-k and top-p, where the engine tells."""


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
    version: str = ""
    """Release of what generates."""
    logprobs: Literal["processed", "raw", "none"] = "processed"
    """Of the distribution drawn from, of the one before temperature and cuts, or made up."""
    seeds: Literal["bitwise", "statistical", "none"] = "bitwise"
    prefix_cache: bool = True
    weight_versions: bool = True
    """Spans name the weights of each token even when they changed under the request."""
    in_flight_push: bool = False
    """A push may come between pause and resume, with requests under way."""
    shares_learner_weights: bool = False
    """The weights are the learner's own tensors: a push copies nothing."""
    sampling_mask: bool = False
    stop_strings: bool = False
    sleep_levels: tuple[int, ...] = ()
    lora_hot_swap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an engine does."""

    ok: bool
    """Whether it would answer a request."""
    detail: str
    """What is wrong, or how many requests are under way."""
    weight_version: str
    paused: bool = False
    asleep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What a weight push did."""

    version: str
    seconds: float
    bytes: int
    """Copied or sent."""
    verified: bool
    """Whether sampled logprobs are known to be the learner's."""
    max_abs_diff: float
    """Largest difference found; NaN where nobody looked."""


class WeightSource(Protocol):
    """Whole tensors under the names of a checkpoint, the output head always among them.

    Iterating again gives the values of that moment, in the same order.
    """

    def __iter__(self) -> Iterator[tuple[str, "Tensor"]]:
        """Names and tensors."""
        ...


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

    async def push_weights(self, weights: WeightSource, version: str) -> PushReport:
        """Sample with these weights, known as `version`, from here on.

        Raises `PushError`; once anything was sent the engine is dirty and refuses requests until
        a push succeeds.
        """
        ...

    async def pause(self, mode: PauseMode = "keep") -> None:
        """Stop generating; later requests wait for `resume`. Returns when nothing runs."""
        ...

    async def resume(self) -> None:
        """Go on, with frozen requests and those that waited."""
        ...

    async def sleep(self, level: int = 1) -> None:
        """Give memory back: 1 drops what is cached, 2 the weights too. Raises `OutOfOrder`."""
        ...

    async def wake(self, tags: tuple[str, ...] | None = None) -> None:
        """Take memory again for `weights`, `kv_cache`, or both. Raises `OutOfOrder`."""
        ...

    async def health(self) -> Health:
        """How it does; never raises."""
        ...

    async def close(self) -> None:
        """Stop and free; calling twice is fine."""
        ...

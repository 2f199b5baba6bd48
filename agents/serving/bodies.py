"""Bodies of the generate routes, and what they become for the engine.

Keys that nobody knows are ignored, as vLLM does; what would change the samples and cannot be had
here is refused.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..engine import Completion, SamplingSpec
from ..seeds import seed_from_wire

_SIGN = 1 << 63
_NEUTRAL: dict[str, tuple[object, ...]] = {
    "n": (1, None),
    "best_of": (1, None),
    "echo": (False, None),
    "stream": (False, None),
    "stop": ([], "", None),
    "suffix": ("", None),
    "min_p": (0, None),
    "min_tokens": (0, None),
    "frequency_penalty": (0, None),
    "presence_penalty": (0, None),
    "repetition_penalty": (1, None),
    "logit_bias": ({}, None),
    "bad_words": ([], None),
    "allowed_token_ids": (None,),
    "prompt_logprobs": (None,),
    "structured_outputs": (None,),
}
"""Settings that this server knows in one value only."""


class Refused(ValueError):
    """A request that is answered with status 400."""


class Sampling(BaseModel):
    """How to sample, as both routes spell it."""

    model_config = ConfigDict(extra="allow")

    max_tokens: int | None = Field(default=16, ge=1)
    temperature: float | None = Field(default=1.0, ge=0)
    top_p: float | None = Field(default=1.0, gt=0, le=1)
    top_k: int | None = Field(default=0, ge=-1)
    seed: int | None = Field(default=None, ge=-_SIGN, lt=_SIGN)
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    logprobs: int | None = Field(default=None, ge=0)

    def spec(self, eos: tuple[int, ...]) -> SamplingSpec:
        """For the engine; `eos` ends a reply unless that is ignored. Raises `Refused`."""
        refuse_unknown(self.model_extra or {})
        if self.logprobs:
            raise Refused(
                f"logprobs: only 0, the sampled token's own, is known; got {self.logprobs}"
            )
        greedy = self.temperature == 0
        return SamplingSpec(
            max_tokens=self.max_tokens or 16,
            temperature=1.0 if greedy or self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            top_k=max(self.top_k or 0, 0),
            seed=seed_from_wire(self.seed),
            stop_token_ids=(*(self.stop_token_ids or ()), *(() if self.ignore_eos else eos)),
            greedy=greedy,
        )


class CompletionBody(Sampling):
    """`POST /v1/completions`."""

    model: str | None = None
    prompt: list[int] | list[list[int]] | str | list[str]
    request_id: str | None = None
    cache_salt: str | None = Field(default=None, min_length=1, max_length=1024)
    return_token_ids: bool | None = None


class GenerateBody(BaseModel):
    """`POST /inference/v1/generate`."""

    request_id: str | None = None
    token_ids: list[int] = Field(min_length=1)
    sampling_params: Sampling
    model: str | None = None
    cache_salt: str | None = Field(default=None, min_length=1, max_length=1024)
    priority: int = 0
    return_token_ids: bool | None = None
    output_mode: Literal["tokens"] = "tokens"
    stream: Literal[False] = False


def refuse_unknown(settings: Mapping[str, Any]) -> None:
    """Raise `Refused` for settings that would change the samples here or be missed."""
    for name, value in settings.items():
        if name in _NEUTRAL and value not in _NEUTRAL[name]:
            raise Refused(f"{name}: this server knows only {_NEUTRAL[name][0]!r}, got {value!r}")


def stop_reason(done: Completion, asked: list[int] | None) -> int | None:
    """The stop token that was asked for and ended the reply."""
    last = done.token_ids[-1] if done.finish_reason == "stop" and done.token_ids else None
    return last if last is not None and last in (asked or ()) else None

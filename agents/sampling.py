"""The draw: logits and one uniform number per request in, one token and its logprob out.

A token is where the request's uniform number falls in the cumulative distribution. That is the same
law as the usual race of `vocabulary` exponential variables, for one random number instead of a
thousand. Each request draws from its own generator, so what it samples does not depend on who
shares its batch or on the device. Axes: B requests, V vocabulary, 1 kept for broadcasting.
"""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from .engine import SamplingSpec
from .seeds import request_seed

__all__ = ["check_prompt", "check_spec", "draw", "request_random", "request_seed"]

BELOW_ONE = 1 - 2**-52
"""Keeps the largest uniform number below the total after rounding, so a token always answers."""


def request_random(seed: int | None) -> Random:
    """The request's own generator; unlike `torch.Generator` it uses every bit of the seed."""
    return Random(seed)


def check_prompt(prompt_ids: Sequence[int], vocabulary: int) -> None:
    """Refuse ids that the model has no embedding for."""
    if not prompt_ids or min(prompt_ids) < 0 or max(prompt_ids) >= vocabulary:
        raise ValueError(
            f"prompt_ids must be one or more ids in 0..{vocabulary - 1}, got "
            f"{len(prompt_ids)} from {min(prompt_ids, default=None)} "
            f"to {max(prompt_ids, default=None)}"
        )


def check_spec(spec: SamplingSpec) -> None:
    """Refuse what no distribution answers to."""
    if spec.max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, got {spec.max_tokens}")
    if not spec.temperature > 0:
        raise ValueError(
            f"temperature must be positive, got {spec.temperature}; greedy=True takes the likeliest"
        )
    if not 0 < spec.top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], got {spec.top_p}; 1 keeps every token")
    if spec.top_k < 0:
        raise ValueError(f"top_k must not be negative, got {spec.top_k}; 0 keeps every token")


def draw(
    logits_BV: Tensor, specs: Sequence[SamplingSpec], uniforms: Sequence[float]
) -> tuple[list[int], list[float]]:
    """Sample each row; logprobs are those of the distribution drawn from, NaN if logits were."""
    scaled_BV = logits_BV
    if any(spec.temperature != 1 and not spec.greedy for spec in specs):
        scaled_BV = logits_BV / _column(
            [1.0 if s.greedy else s.temperature for s in specs], logits_BV
        )
    probs_BV = torch.softmax(scaled_BV, -1)
    if any(_narrowed(spec) for spec in specs):
        probs_BV = _narrow(probs_BV, specs)
    # float64: the sum over a large vocabulary would otherwise move the borders between tokens.
    cumulative_BV = probs_BV.cumsum(-1, dtype=torch.float64)
    targets_B1 = cumulative_BV[:, -1:] * _column(uniforms, cumulative_BV) * BELOW_ONE
    tokens_B1 = torch.searchsorted(cumulative_BV, targets_B1, right=True)
    tokens_B1.clamp_(max=logits_BV.shape[-1] - 1)
    if any(spec.greedy for spec in specs):
        greedy_B1 = _column([spec.greedy for spec in specs], logits_BV).bool()
        tokens_B1 = torch.where(greedy_B1, logits_BV.argmax(-1, keepdim=True), tokens_B1)
    logprobs_B1 = probs_BV.gather(-1, tokens_B1).log_()
    return tokens_B1[:, 0].tolist(), logprobs_B1[:, 0].tolist()


def _narrowed(spec: SamplingSpec) -> bool:
    return not spec.greedy and (spec.top_p < 1 or spec.top_k > 0)


def _narrow(probs_BV: Tensor, specs: Sequence[SamplingSpec]) -> Tensor:
    """Each row's distribution over its top-k, then over the nucleus of what is left."""
    vocabulary = probs_BV.shape[-1]
    top_k_B1 = _column(
        [s.top_k if _narrowed(s) and s.top_k else vocabulary for s in specs], probs_BV
    )
    top_p_B1 = _column([s.top_p if _narrowed(s) else 2.0 for s in specs], probs_BV)
    sorted_BV, order_BV = torch.sort(probs_BV, dim=-1, descending=True, stable=True)
    rank_V = torch.arange(vocabulary, device=probs_BV.device)
    kept_BV = sorted_BV * (rank_V < top_k_B1)
    kept_BV = kept_BV / kept_BV.sum(-1, keepdim=True)
    before_BV = kept_BV.cumsum(-1) - kept_BV
    kept_BV = kept_BV * (before_BV < top_p_B1)
    kept_BV = kept_BV / kept_BV.sum(-1, keepdim=True)
    return torch.zeros_like(probs_BV).scatter_(-1, order_BV, kept_BV)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]

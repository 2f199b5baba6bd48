"""Per-token losses: the clipped surrogate with its dual clip, the k3 penalty, and cloning.

Each is a pure function of flat vectors over K trained tokens and returns the loss of every token
beside what is worth logging. Sums and denominators are the learner's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .batch import Batch
from .config import ObjectiveSection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terms:
    """What a token loss answers."""

    loss: Tensor
    """Loss of each token `[K]`, with gradient."""
    means: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Vectors `[K]` whose mean over the computed tokens is logged."""
    peaks: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Vectors `[K]` whose maximum is logged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What the model says of the trained tokens."""

    logp: Tensor
    """Log-probability of each token at the sampling temperature `[K]`."""
    entropy: Tensor
    """Entropy of the distribution it was drawn from `[K]`, in nats."""


TokenLoss = Callable[[Scores, Batch], Terms]


def cloning(scores: Scores, batch: Batch) -> Terms:
    """Negative log-likelihood of demonstrated tokens, each times its weight."""
    return Terms(loss=-scores.logp * batch.advantage, means={"nll": -scores.logp})


def clipped_surrogate(objective: ObjectiveSection) -> TokenLoss:
    """PPO's clipped surrogate on the ratio to the sampler's probabilities.

    `l1 = -A rho`, `l2 = -A clip(rho, 1 - low, 1 + high)`, `l = max(l1, l2)`, and for A < 0
    `min(l, -A c)` (PPO, arXiv 1707.06347 eq. 7; dual clip, arXiv 1912.09729 eq. 5). The
    denominator of the ratio is the probability at sampling time, so that staleness within an
    iteration is corrected by the ratio alone.
    """

    def token_loss(scores: Scores, batch: Batch) -> Terms:
        # Bounded, because an infinite ratio times a gradient of 0 is no number.
        drift = (scores.logp - batch.logp_sampler).clamp(-20, 20)
        ratio = drift.exp()
        advantage = batch.advantage
        clipped = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
        loss = torch.maximum(-advantage * ratio, -advantage * clipped)
        bounded = torch.minimum(loss, -advantage * objective.dual_clip)
        loss = torch.where(advantage < 0, bounded, loss)
        if objective.entropy_coef:
            loss = loss - objective.entropy_coef * scores.entropy
        with torch.no_grad():
            means = {
                "entropy": scores.entropy,
                "ratio": ratio,
                "kl": ratio - 1 - drift,
                "clip_low": (advantage < 0) & (ratio < 1 - objective.clip_low),
                "clip_high": (advantage > 0) & (ratio > 1 + objective.clip_high),
                "clip_dual": (advantage < 0) & (ratio > objective.dual_clip),
            }
        return Terms(loss=loss, means=means, peaks={"drift_max": drift.detach().abs()})

    return token_loss


def k3_penalty(logp: Tensor, logp_ref: Tensor) -> Tensor:
    """`exp(ref - logp) - (ref - logp) - 1`, clamped to 10: an estimate of KL(policy || reference).

    As a loss its on-policy gradient is that of the forward KL (Schulman's k3; arXiv 2402.03300
    eq. 4).
    """
    gap = (logp_ref - logp).clamp(-20, 20)
    return (gap.exp() - gap - 1).clamp(-10, 10)

"""The learner: batches in, one optimiser step out, exactly the gradient of the whole mini-batch.

A step sums token losses over any number of batches and divides by one denominator counted before
the first backward pass, so that how rows are cut into batches changes rounding only.
"""

import copy
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .batch import Batch
from .config import OptimSection
from .errors import LearnerError
from .head import score_tokens
from .loss import TokenLoss, k3_penalty

_PATIENCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Weights the policy is kept near to."""

    model: nn.Module
    coef: float
    """Weight of the k3 penalty per token."""


def frozen_copy(model: nn.Module) -> nn.Module:
    """A copy that never trains."""
    return copy.deepcopy(model).eval().requires_grad_(False)


class Learner:
    """Owns the optimiser of one model; the model itself is shared with the engine."""

    def __init__(
        self,
        model: nn.Module,
        optim: OptimSection,
        *,
        temperature: float = 1.0,
        reference: Reference | None = None,
    ) -> None:
        self.model = model
        self.optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=optim.lr,
            betas=optim.betas,
            weight_decay=optim.weight_decay,
            fused=True,
        )
        self._optim = optim
        self._temperature = temperature
        self._reference = reference
        self._skipped_in_a_row = 0

    @property
    def device(self) -> torch.device:
        """Where the model lies."""
        return next(self.model.parameters()).device

    def set_lr(self, lr: float) -> None:
        """Use this learning rate from the next step on."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def step(
        self, batches: Sequence[Batch], denominator: float, token_loss: TokenLoss
    ) -> dict[str, float]:
        """One AdamW step on `sum(loss of all tokens) / denominator`; answers metrics.

        Raises `LearnerError` when gradients stay non-finite for five steps in a row.
        """
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        ledger = _Ledger()
        for batch in batches:
            self._backward(batch.to(self.device), denominator, token_loss, ledger)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self._optim.grad_clip))
        if self._usable(norm, batches):
            self.optimizer.step()
        skipped = float(self._skipped_in_a_row > 0)
        return {**ledger.metrics(), "grad_norm": norm, "skipped": skipped}

    def _backward(
        self, batch: Batch, denominator: float, token_loss: TokenLoss, ledger: "_Ledger"
    ) -> None:
        scores = score_tokens(self.model, batch, self._temperature, self._optim.head_chunk)
        terms = token_loss(scores, batch)
        loss, means = terms.loss, terms.means
        if self._reference is not None:
            penalty = k3_penalty(scores.logp, self._reference_logp(batch, self._reference))
            loss = loss + self._reference.coef * penalty
            means = {**means, "kl_ref": penalty}
        (loss.sum() / denominator).backward()
        ledger.add({"loss": loss, **means}, terms.peaks, len(batch.tgt))

    @torch.no_grad()
    def _reference_logp(self, batch: Batch, reference: Reference) -> Tensor:
        chunk = self._optim.head_chunk
        return score_tokens(reference.model, batch, self._temperature, chunk).logp

    def _usable(self, norm: float, batches: Sequence[Batch]) -> bool:
        if not batches:
            return False
        if norm < float("inf"):
            self._skipped_in_a_row = 0
            return True
        self._skipped_in_a_row += 1
        if self._skipped_in_a_row >= _PATIENCE:
            turns = sorted({int(t) for batch in batches for t in batch.turn.unique()})
            raise LearnerError(
                f"the gradient norm was not finite in {_PATIENCE} steps in a row; turns of the "
                f"last one: {turns[:20]}; lower optim.lr or look at these turns in episodes/"
            )
        return False


class _Ledger:
    """Means and maxima over the tokens that a step computed."""

    def __init__(self) -> None:
        self._tokens = 0
        self._sums: dict[str, float] = defaultdict(float)
        self._peaks: dict[str, float] = defaultdict(float)

    def add(self, means: dict[str, Tensor], peaks: dict[str, Tensor], tokens: int) -> None:
        self._tokens += tokens
        for name, values in means.items():
            self._sums[name] += float(values.detach().float().sum())
        for name, values in peaks.items():
            self._peaks[name] = max(self._peaks[name], float(values.max()))

    def metrics(self) -> dict[str, float]:
        tokens = max(self._tokens, 1)
        return {name: total / tokens for name, total in self._sums.items()} | dict(self._peaks)

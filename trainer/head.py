"""Log-probability and entropy of the trained tokens, without a logits tensor of the whole batch.

The decoder runs over the padded rows; the LM head runs over the K trained positions only, in
chunks that are computed again in the backward pass, so that memory holds one chunk of logits.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .batch import Batch
from .loss import Scores


def score_tokens(model: nn.Module, batch: Batch, temperature: float, chunk: int) -> Scores:
    """Score every trained token of a batch at the temperature it was sampled with.

    Tokens are scored in float32 whatever the model's own precision is.
    """
    decoder = cast("nn.Module", model.get_decoder())  # pyright: ignore[reportCallIssue]
    hidden = decoder(input_ids=batch.ids, use_cache=False).last_hidden_state
    hidden_K = hidden.reshape(-1, hidden.shape[-1])[batch.src]
    head = cast("nn.Module", model.get_output_embeddings())  # pyright: ignore[reportCallIssue]
    if len(hidden_K) <= chunk or not torch.is_grad_enabled():
        parts = [
            _head(head, h, t, temperature)
            for h, t in zip(hidden_K.split(chunk), batch.tgt.split(chunk), strict=True)
        ]
    else:
        parts = [
            checkpoint(_head, head, h, t, temperature, use_reentrant=False)
            for h, t in zip(hidden_K.split(chunk), batch.tgt.split(chunk), strict=True)
        ]
    logps, entropies = zip(*parts, strict=True)
    return Scores(logp=torch.cat(logps), entropy=torch.cat(entropies))


def _head(
    head: nn.Module, hidden: Tensor, tgt: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    logits = head(hidden).float() / temperature
    logp_all = logits.log_softmax(-1)
    logp = logp_all.gather(-1, tgt[:, None])[:, 0]
    entropy = -(logp_all.exp() * logp_all).sum(-1)
    return logp, entropy

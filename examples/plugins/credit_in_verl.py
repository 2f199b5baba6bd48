"""GiGPO, or any estimator of gigym, inside verl: one function registered by name.

verl calls a registered estimator with `token_level_rewards`, `response_mask`, `index` (the uids)
and `config`, and stores the two tensors it returns. What it does not pass on is the state each turn
was taken in. Two ways to bring it along:

1. Your agent loop returns a field `anchors` (one list of keys per trajectory, one key per turn),
   and before `compute_advantage` you bind it to the uids, which stay the strings they are:

       uid = batch.non_tensor_batch["uid"]
       batch.non_tensor_batch["uid"] = bind(uid, batch.non_tensor_batch["anchors"])

2. A verl that passes `non_tensor_batch` on is read directly.

Then: algorithm.adv_estimator=gigpo, and import this file before the trainer starts.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from verl.trainer.ppo.core_algos import (  # pyright: ignore[reportMissingImports]
    register_adv_est,
)

from gigym.grouping import Spans, Steps, estimate

ESTIMATOR = "gigpo"
OPTIONS: dict[str, Any] = {"gamma": 0.95, "omega": 1.0, "norm": "mean_std", "invalid_penalty": 0.0}


class BoundUid(str):
    """A uid that carries the anchors of its trajectory and is a plain string to all others."""

    anchors: Sequence[str]


def bind(uids: Sequence[str], anchors: Sequence[Sequence[str]]) -> np.ndarray[Any, Any]:
    """The same uids with the anchors of their trajectories attached."""
    bound = np.empty(len(uids), dtype=object)
    for row, (uid, keys) in enumerate(zip(uids, anchors, strict=True)):
        bound[row] = BoundUid(uid)
        bound[row].anchors = list(keys)
    return bound


@register_adv_est("gigpo")
def anchored_advantages(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    index: np.ndarray[Any, Any],
    config: object = None,
    non_tensor_batch: Mapping[str, Any] | None = None,
    **unused: object,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Advantages and returns per token, the same number on every token of a turn."""
    spans = Spans.of(response_mask.cpu().numpy())
    anchors = non_tensor_batch["anchors"] if non_tensor_batch else [uid.anchors for uid in index]
    steps = Steps.of(
        task=[str(index[row]) for row in spans.row],
        trajectory=spans.row,
        step=spans.turn,
        anchor=[anchors[row][turn] for row, turn in zip(spans.row, spans.turn, strict=True)],
        reward=spans.sum(token_level_rewards.cpu().numpy()),
    )
    credit = estimate(steps, ESTIMATOR, **OPTIONS)
    return (
        torch.as_tensor(spans.spread(credit.advantage)).to(token_level_rewards),
        torch.as_tensor(spans.spread(credit.returns)).to(token_level_rewards),
    )

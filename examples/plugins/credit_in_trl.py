"""GiGPO, or any estimator of gigym, inside TRL: a subclass of its GRPOTrainer.

TRL's loss takes advantages of shape (completions,) or, from subclasses, (completions, tokens). The
subclass lets TRL generate and score, then replaces the advantages by one number per turn. Your
environment says what TRL does not know: for each completion, the state key and the reward of each
turn. Siblings must be in one process; gather them first where they are not.
"""

from typing import Any

import torch
from trl import GRPOTrainer  # pyright: ignore[reportMissingImports]

from gigym.grouping import Spans, Steps, estimate

ESTIMATOR = "gigpo"
OPTIONS: dict[str, Any] = {"gamma": 0.95, "omega": 1.0, "norm": "mean_std", "invalid_penalty": 0.0}


class AnchoredGRPOTrainer(GRPOTrainer):
    """GRPOTrainer whose credit compares turns that were taken in the same state."""

    def turns_of(self, inputs: list[dict[str, Any]]) -> list[list[tuple[str, float]]]:
        """For each completion, the (state key, reward) of each of its turns: yours to say."""
        return [row["turns"] for row in inputs]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output = super()._generate_and_score_completions(inputs)
        sampled = output["completion_mask"] * output.get("tool_mask", 1)
        spans = Spans.of(sampled.cpu().numpy())
        turns = self.turns_of(inputs)
        played = [turns[row][turn] for row, turn in zip(spans.row, spans.turn, strict=True)]
        steps = Steps.of(
            task=[repr(inputs[row]["prompt"]) for row in spans.row],
            trajectory=spans.row,
            step=spans.turn,
            anchor=[anchor for anchor, _ in played],
            reward=[reward for _, reward in played],
        )
        credit = estimate(steps, ESTIMATOR, **OPTIONS)
        advantages = torch.as_tensor(spans.spread(credit.advantage), dtype=torch.float32)
        output["advantages"] = advantages.to(sampled.device)
        return output

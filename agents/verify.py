"""Whether an engine samples with the learner's weights: a few tokens, scored again by the learner.

One prompt is fresh, one was served before the push: where only the second is wrong the engine still
reads keys of the old weights, where both are it has other weights, often an old output head.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from .engine import Completion, Engine, SamplingSpec
from .errors import PushError

_TOKENS = 8
_PROMPT = 300
"""Longer than two blocks of any prefix cache."""
_DEADLINE_S = 120.0
Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far sampled logprobs may be from the learner's."""

    mean: float
    largest: float


FLOAT32 = Limits(mean=1e-4, largest=1e-4)
BFLOAT16 = Limits(mean=0.1, largest=0.5)


class PushCheck:
    """Compares an engine with a learner around a push: `before`, push, `after`."""

    def __init__(self, engine: Engine, learner: nn.Module, limits: Limits) -> None:
        self._engine, self._learner, self._limits = engine, learner, limits
        self._vocabulary = learner.get_input_embeddings().weight.shape[0]  # pyright: ignore

    async def before(self) -> None:
        """Serve the prompt that is asked again after the push, so that it lies in the cache."""
        await self._sample("repeated")

    async def after(self, version: str) -> float:
        """The largest difference. Raises `PushError` that says what is stale."""
        wrong: list[str] = []
        largest = 0.0
        for name in (f"fresh {version}", "repeated"):
            prompt, done = await self._sample(name)
            plain = logprobs_of(self._learner, prompt, done.token_ids)
            off = [abs(a - b) for a, b in zip(done.logprobs, plain, strict=True)]
            # Not-a-number compares false and is wrong, too.
            if not (sum(off) / len(off) <= self._limits.mean and max(off) <= self._limits.largest):
                wrong.append(name.partition(" ")[0])
            largest = max(largest, *off)
        if wrong:
            raise PushError(
                f"after the push of version {version!r} the engine "
                f"{self._engine.capabilities.name} samples with logprobs up to {largest:.3g} from "
                f"the learner's, at most {self._limits.largest:g} was expected: {_culprit(wrong)}"
            )
        return largest

    async def _sample(self, name: str) -> tuple[Ids, Completion]:
        longest = min(_PROMPT, self._engine.capabilities.max_model_len - _TOKENS)
        rng = random.Random(f"verify:{name}")
        prompt = tuple(rng.randrange(self._vocabulary) for _ in range(longest))
        spec = SamplingSpec(max_tokens=_TOKENS, seed=rng.getrandbits(63))
        answer = await self._engine.generate(
            prompt, spec, request_id=f"verify {name}/0", deadline_s=_DEADLINE_S
        )
        if not isinstance(answer, Completion) or not answer.token_ids:
            raise PushError(f"the engine gave no tokens to check the push by: {answer}")
        return prompt, answer


def _culprit(wrong: Sequence[str]) -> str:
    if wrong == ["repeated"]:
        return (
            "only the prompt served before is wrong, so its prefix cache is stale: the server "
            "did not reset it"
        )
    if wrong == ["fresh"]:
        return "only the fresh prompt is wrong, so the engine does not give the same twice"
    return (
        "both prompts are wrong, so the weights are not the learner's: look for an old output "
        "head (lm_head.weight), another model, or another precision (engine.dtype)"
    )


@torch.no_grad()
def logprobs_of(model: nn.Module, prompt: Ids, tokens: Ids) -> list[float]:
    """Logprobs of the tokens after the prompt by one plain forward pass."""
    device = next(model.parameters()).device
    context = torch.tensor([[*prompt, *tokens]], device=device)
    logits = model(context, use_cache=False).logits[0, len(prompt) - 1 : -1].float()
    chosen = torch.tensor(tokens, device=device)[:, None]
    return logits.log_softmax(-1).gather(-1, chosen)[:, 0].tolist()

"""Generation by our engine, by transformers `generate`, and by computing every context again.

All ways sample the same amounts for the same episodes from the quick start's model, on one thread.
Scenario `turns`: 64 episodes grow by an observation and a reply per turn. Scenarios `equal` and
`ragged`: 32 prompts of 300 tokens, or around it, and one reply of 40 each. A quick run is smaller.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel, Qwen3Config, Qwen3ForCausalLM

from ..agents.engine import Completion, SamplingSpec
from ..agents.hf import HFEngine

VOCABULARY = 1000
Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every way has to do: per episode, the observations and how long the replies are."""

    name: str
    observations: tuple[tuple[Ids, ...], ...]
    replies: tuple[tuple[int, ...], ...]

    @property
    def sampled(self) -> int:
        """Tokens to sample."""
        return sum(map(sum, self.replies))

    @property
    def context(self) -> int:
        """Tokens of all episodes at their end, sampled ones included."""
        return self.sampled + sum(len(ids) for episode in self.observations for ids in episode)


def run(*, quick: bool) -> dict[str, Any]:
    """Tokens per CPU second of every way, medians over rounds that take turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = _model()
        rounds = 1 if quick else 5
        rows = [row for work in _works(quick) for row in _measure(model, work, rounds)]
    finally:
        torch.set_num_threads(threads)
    notes = [
        "Qwen3, hidden 128, 2 layers, 4 heads, vocabulary 1000, float32, one thread, CPU seconds",
        "context tokens count every token of the finished episodes once, sampled tokens only those",
        "generate computes each turn's whole prompt again, as it keeps no cache between calls",
    ]
    return {"name": "decode", "rows": rows, "notes": notes}


def _measure(model: PreTrainedModel, work: Work, rounds: int) -> list[dict[str, Any]]:
    spent: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            began = time.process_time()
            way(model, work)
            spent[name].append(time.process_time() - began)
    medians = {name: statistics.median(seconds) for name, seconds in spent.items()}
    return [
        {
            "scenario": work.name,
            "way": name,
            "sampled_per_cpu_s": round(work.sampled / seconds),
            "context_per_cpu_s": round(work.context / seconds),
            "times_generate": round(medians["generate"] / seconds, 2),
            "rounds": rounds,
        }
        for name, seconds in medians.items()
    ]


def _engine(model: PreTrainedModel, work: Work, *, deterministic: bool) -> None:
    asyncio.run(_serve(model, work, deterministic))


async def _serve(model: PreTrainedModel, work: Work, deterministic: bool) -> None:
    count = len(work.replies)
    engine = HFEngine(model, slots=count, max_model_len=512, deterministic=deterministic)
    engine.roster.enter(count)
    await asyncio.gather(*(_episode(engine, work, number) for number in range(count)))
    await engine.close()


async def _episode(engine: HFEngine, work: Work, number: int) -> None:
    context: Ids = ()
    turns = zip(work.observations[number], work.replies[number], strict=True)
    for turn, (observation, length) in enumerate(turns):
        spec = SamplingSpec(max_tokens=length, seed=1000 * number + turn)
        name = f"{number}/{turn}"
        context += observation
        reply = await engine.generate(context, spec, request_id=name, deadline_s=600)
        assert isinstance(reply, Completion), reply
        context += reply.token_ids
    engine.roster.leave()


@torch.inference_mode()
def _generate(model: PreTrainedModel, work: Work) -> None:
    """One call per turn, left-padded; replies are cut to their length."""
    contexts: list[Ids] = [()] * len(work.replies)
    for observations, lengths in _turns(work):
        contexts = [c + o for c, o in zip(contexts, observations, strict=True)]
        width, longest = max(map(len, contexts)), max(lengths)
        padding = [width - len(context) for context in contexts]
        rows = [(0,) * pad + context for pad, context in zip(padding, contexts, strict=True)]
        mask = [[0] * pad + [1] * (width - pad) for pad in padding]
        out: Any = model.generate(  # pyright: ignore[reportCallIssue]
            torch.tensor(rows),
            attention_mask=torch.tensor(mask),
            max_new_tokens=longest,
            do_sample=True,
            top_k=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        replies = out.sequences[:, width:]
        logits_BTV = torch.stack(out.logits, 1)
        logits_BTV.log_softmax(-1).gather(-1, replies[..., None])
        sampled = [tuple(row[:n]) for row, n in zip(replies.tolist(), lengths, strict=True)]
        contexts = [c + reply for c, reply in zip(contexts, sampled, strict=True)]


@torch.inference_mode()
def _recompute(model: PreTrainedModel, work: Work) -> None:
    """A forward pass over all contexts for every token."""
    contexts: list[Ids] = [()] * len(work.replies)
    for observations, lengths in _turns(work):
        contexts = [c + o for c, o in zip(contexts, observations, strict=True)]
        for step in range(max(lengths)):
            live = [row for row, length in enumerate(lengths) if length > step]
            width = max(len(contexts[row]) for row in live)
            rows = [contexts[row] + (0,) * (width - len(contexts[row])) for row in live]
            hidden = model.base_model(torch.tensor(rows), use_cache=False).last_hidden_state
            ends = torch.tensor([len(contexts[row]) - 1 for row in live])
            logits_BV = model.get_output_embeddings()(hidden[torch.arange(len(live)), ends])  # pyright: ignore
            probs_BV = logits_BV.softmax(-1)
            tokens_B1 = probs_BV.multinomial(1)
            probs_BV.gather(-1, tokens_B1).log()
            for row, token in zip(live, tokens_B1[:, 0].tolist(), strict=True):
                contexts[row] += (token,)


WAYS: dict[str, Callable[[PreTrainedModel, Work], None]] = {
    "engine, rounds": lambda model, work: _engine(model, work, deterministic=True),
    "engine, stream": lambda model, work: _engine(model, work, deterministic=False),
    "generate": _generate,
    "recompute": _recompute,
}
"""What is compared; `rounds` waits for all live episodes, `stream` for nobody."""


def _turns(work: Work) -> list[tuple[tuple[Ids, ...], tuple[int, ...]]]:
    """Per turn, what all episodes see and how long they answer."""
    return list(
        zip(
            zip(*work.observations, strict=True),
            zip(*work.replies, strict=True),
            strict=True,
        )
    )


def _works(quick: bool) -> tuple[Work, ...]:
    rng = random.Random(0)
    episodes, turns, prompts, length = (16, 3, 8, 8) if quick else (64, 12, 32, 40)
    grown = Work(
        name="turns",
        observations=tuple(
            tuple(_ids(rng, rng.randint(5, 15)) for _ in range(turns)) for _ in range(episodes)
        ),
        replies=tuple(tuple(rng.randint(3, 6) for _ in range(turns)) for _ in range(episodes)),
    )
    replies = ((length,),) * prompts
    equal = tuple((_ids(rng, 300),) for _ in range(prompts))
    ragged = tuple((_ids(rng, rng.randint(250, 350)),) for _ in range(prompts))
    return (
        grown,
        Work(name="equal", observations=equal, replies=replies),
        Work(name="ragged", observations=ragged, replies=replies),
    )


def _ids(rng: random.Random, count: int) -> Ids:
    return tuple(rng.randrange(1, VOCABULARY) for _ in range(count))


def _model() -> PreTrainedModel:
    config = Qwen3Config(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=32,
        max_position_embeddings=1024,
        initializer_range=0.04,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Qwen3ForCausalLM(config).eval()

"""Servers without token ids: prompts and replies as text, tokenized on this side.

What comes back was not sampled as these ids and has no logprobs: fit for scoring a policy, not for
training one. Logprobs are zeros, as the capabilities of such an engine say.
"""

from typing import Any

import httpx
from transformers import PreTrainedTokenizerBase

from .engine import Completion, GenFailure
from .forms import Ask, bad_output, read_error
from .seeds import wire_seed

_MOST_STOPS = 4
"""As many stop texts as OpenAI's API takes."""


def text_body(ask: Ask, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """For `/v1/completions` of any server."""
    spec = ask.spec
    stops = [*spec.stop, *(str(tokenizer.decode([token])) for token in spec.stop_token_ids)]
    return {
        "model": ask.model,
        "prompt": str(tokenizer.decode(list(ask.ids))),
        "max_tokens": spec.max_tokens,
        "temperature": 0.0 if spec.greedy else spec.temperature,
        "top_p": spec.top_p,
        "seed": wire_seed(spec.seed),
        "stop": stops[:_MOST_STOPS],
    }


def read_text(
    answer: httpx.Response, ask: Ask, tokenizer: PreTrainedTokenizerBase
) -> Completion | GenFailure:
    """The reply's text as ids, closed by the first stop token where the server stopped."""
    if answer.status_code != 200:
        return read_error(answer)
    try:
        (choice,) = answer.json()["choices"]
        text, finish = str(choice["text"]), choice["finish_reason"]
    except (KeyError, TypeError, ValueError) as error:
        return bad_output(f"{ask.name}: not a completion: {type(error).__name__}: {error}")
    ids = [int(token) for token in tokenizer.encode(text, add_special_tokens=False)]
    stopped = finish == "stop"
    ids = [*ids[: ask.spec.max_tokens - stopped], *(ask.spec.stop_token_ids[:1] if stopped else ())]
    return Completion(
        token_ids=tuple(ids),
        logprobs=(0.0,) * len(ids),
        finish_reason="stop" if stopped else "length",
        weight_versions=((ask.version, 0, len(ids)),) if ids else (),
        prompt_tokens=len(ask.ids),
    )

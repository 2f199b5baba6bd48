"""Requests and replies of vLLM-type servers as plain data: specs in, bodies out; bodies in, answers
out.

Every setting that could come from a server's defaults is named, since a model's directory may hold
defaults of its own. Replies are checked before they are trusted: the prompt must be echoed as it
was sent, and tokens, logprobs and spans must agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from .engine import Completion, GenFailure, SamplingSpec
from .link import words
from .seeds import wire_seed

Ids = tuple[int, ...]
Spans = tuple[tuple[str, int, int], ...]
_TOO_LONG = ("maximum context length", "max_model_len", "maximum model length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request on its way."""

    ids: Ids
    spec: SamplingSpec
    model: str
    name: str
    """Names it on the server."""
    version: str
    """The weights that the server has, as far as we know; also keeps prefix caches apart."""


def sampling(spec: SamplingSpec) -> dict[str, Any]:
    """Settings that both routes have, under the same names."""
    return {
        "max_tokens": spec.max_tokens,
        "temperature": 0.0 if spec.greedy else spec.temperature,
        "top_p": spec.top_p,
        "top_k": spec.top_k,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "seed": wire_seed(spec.seed),
        "stop_token_ids": list(spec.stop_token_ids),
        # Ends of sequence are the caller's affair, who lists them among the stop ids.
        "ignore_eos": True,
        "logprobs": 0,
    }


def completions_body(ask: Ask) -> dict[str, Any]:
    """For `/v1/completions`."""
    return {
        **sampling(ask.spec),
        "model": ask.model,
        "prompt": list(ask.ids),
        "request_id": ask.name,
        "cache_salt": f"v{ask.version}"[:1024],
        "return_token_ids": True,
    }


def generate_body(ask: Ask) -> dict[str, Any]:
    """For `/inference/v1/generate`."""
    return {
        "request_id": ask.name,
        "token_ids": list(ask.ids),
        "sampling_params": {**sampling(ask.spec), "detokenize": False},
        "model": ask.model,
        "cache_salt": f"v{ask.version}"[:1024],
        "return_token_ids": True,
        "output_mode": "tokens",
        "stream": False,
    }


def read_reply(answer: httpx.Response, ask: Ask) -> Completion | GenFailure:
    """The completion in a reply of either token route, or what is wrong with it."""
    if answer.status_code != 200:
        return read_error(answer)
    try:
        return _completion(answer.json(), ask)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        told = f"{type(error).__name__}: {error}"
        return bad_output(f"{ask.name}: not a reply with token ids: {told}: {answer.text[:200]}")


def read_error(answer: httpx.Response) -> GenFailure:
    """What a status other than 200 means."""
    message = f"status {answer.status_code}: {words(answer)}"
    if answer.status_code == 400:
        long = any(part in message for part in _TOO_LONG)
        return GenFailure(
            code="overflow" if long else "bad_output", message=message, retryable=False
        )
    passing = answer.status_code >= 500 or answer.status_code == 429
    return GenFailure(code="engine_dead", message=message, retryable=passing)


def bad_output(message: str) -> GenFailure:
    """A reply that cannot be used."""
    return GenFailure(code="bad_output", message=message, retryable=False)


def _completion(body: dict[str, Any], ask: Ask) -> Completion | GenFailure:
    (choice,) = body["choices"]
    echoed = body.get("prompt_token_ids") or choice.get("prompt_token_ids")
    ids = tuple(map(int, choice["token_ids"]))
    logprobs = _logprobs(choice["logprobs"])
    finish = choice["finish_reason"]
    spans = _spans(choice.get("weight_versions"), ask.version, len(ids))
    fault = None
    if tuple(echoed or ()) != ask.ids:
        fault = f"the server's prompt of {len(echoed or ())} ids is not the one sent"
    elif len(logprobs) != len(ids):
        fault = f"{len(ids)} tokens came with {len(logprobs)} logprobs"
    elif finish not in ("stop", "length", "abort"):
        fault = f"finish_reason {finish!r}"
    elif [i for _, start, end in spans for i in range(start, end)] != list(range(len(ids))):
        fault = f"version spans {spans} do not cover {len(ids)} tokens"
    if fault is not None:
        return bad_output(f"{ask.name}: {fault}")
    details = (body.get("usage") or {}).get("prompt_tokens_details") or {}
    return Completion(
        token_ids=ids,
        logprobs=logprobs,
        finish_reason=finish,
        weight_versions=spans,
        prompt_tokens=len(ask.ids),
        cached_tokens=details.get("cached_tokens"),
        sampling_mask=_mask(choice.get("sampling_mask")),
    )


def _logprobs(table: dict[str, Any]) -> tuple[float, ...]:
    if "token_logprobs" in table:
        return tuple(map(float, table["token_logprobs"]))
    return tuple(float(token["logprob"]) for token in table["content"] or ())


def _spans(told: Sequence[dict[str, Any]] | None, version: str, count: int) -> Spans:
    if told is None:
        return ((version, 0, count),) if count else ()
    return tuple((str(s["version"]), int(s["start"]), int(s["end"])) for s in told)


def _mask(told: Sequence[Sequence[int]] | None) -> tuple[Ids, ...] | None:
    return None if told is None else tuple(tuple(map(int, ids)) for ids in told)

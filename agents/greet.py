"""What a server offers, found out by asking: its model, its routes, whether token ids come back.

Two requests of a few tokens tell the form of the replies, and whether logprobs are those of the
distribution drawn from: where only one token is allowed, its logprob must be that of certainty.
"""

import warnings
from dataclasses import dataclass
from typing import Literal

from .engine import Completion, SamplingSpec
from .errors import EngineError
from .forms import Ask, completions_body, generate_body, read_reply
from .link import Facts, Link, LinkDown, words

_PROMPT = (1, 2, 3)
_CERTAIN = 1e-4
_PROBE = SamplingSpec(max_tokens=4, top_k=1, seed=0)


class TextOnly(UserWarning):
    """The server gives text and no token ids, so nothing can be trained on what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What was found."""

    logprobs: Literal["processed", "raw", "none"]
    masks: bool


async def greet(link: Link, model: str, deadline_s: float) -> Greeting:
    """Fill in the link's facts and form. Raises `EngineError` for what cannot be used."""
    try:
        link.facts = await _facts(link, model, deadline_s)
        return await _probe(link, deadline_s)
    except LinkDown as error:
        raise EngineError(f"engine.url: {error}; is a server running there?") from error


async def _facts(link: Link, model: str, deadline_s: float) -> Facts:
    answer = await link.ask("GET", "/v1/models", deadline_s=deadline_s)
    if answer.status_code != 200:
        raise EngineError(
            f"{link.url}/v1/models: status {answer.status_code}: {words(answer)}; expected a "
            "server that lists its models, as vLLM does"
        )
    cards = {str(card["id"]): card for card in answer.json()["data"]}
    name = model or next(iter(cards), "")
    if name not in cards:
        raise EngineError(f"{link.url} serves no model {name!r}; it has: {', '.join(cards)}")
    paused = await link.ask("GET", "/is_paused", deadline_s=deadline_s)
    if paused.status_code == 200 and paused.json().get("is_paused"):
        raise EngineError(f"{link.url} is paused; POST {link.url}/resume, or start it again")
    version = await link.ask("GET", "/version", deadline_s=deadline_s)
    return Facts(
        model=name,
        max_model_len=int(cards[name].get("max_model_len") or 0),
        version=str(version.json().get("version", "")) if version.status_code == 200 else "",
        control=paused.status_code == 200,
    )


async def _probe(link: Link, deadline_s: float) -> Greeting:
    ask = Ask(ids=_PROMPT, spec=_PROBE, model=link.facts.model, name="gigym-probe", version="0")
    refusals: list[str] = []
    for form, path, body in (
        ("generate", "/inference/v1/generate", generate_body(ask)),
        ("completions", "/v1/completions", completions_body(ask)),
    ):
        answer = await link.ask("POST", path, deadline_s=deadline_s, json=body)
        reply = read_reply(answer, ask)
        if isinstance(reply, Completion):
            link.form = "generate" if form == "generate" else "completions"
            return _told(reply)
        refusals.append(f"{path}: {reply.message}")
    return await _probe_text(link, refusals, deadline_s)


def _told(reply: Completion) -> Greeting:
    certain = all(abs(logprob) < _CERTAIN for logprob in reply.logprobs)
    return Greeting(
        logprobs="processed" if certain else "raw", masks=reply.sampling_mask is not None
    )


async def _probe_text(link: Link, refusals: list[str], deadline_s: float) -> Greeting:
    body = {"model": link.facts.model, "prompt": "a", "max_tokens": 1}
    answer = await link.ask("POST", "/v1/completions", deadline_s=deadline_s, json=body)
    if answer.status_code != 200:
        raise EngineError(f"{link.url} does not complete prompts: {'; '.join(refusals)}")
    link.form = "text"
    warnings.warn(
        f"{link.url} gives text and no token ids: its replies can be scored and not trained on "
        f"({'; '.join(refusals)})",
        TextOnly,
        stacklevel=2,
    )
    return Greeting(logprobs="none", masks=False)

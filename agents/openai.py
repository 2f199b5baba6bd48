"""A client for vLLM-type servers: token ids over HTTP, on one server or several.

A push goes pause, start, parts, finish, reset of the prefix cache, resume; what breaks off leaves
the engine dirty and the servers paused, so that nobody samples with weights in between. Servers
that know no token ids are asked in text, for scoring only.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedTokenizerBase

from .engine import (
    Capabilities,
    Completion,
    GenFailure,
    Health,
    PauseMode,
    PushReport,
    Roster,
    SamplingSpec,
    WeightSource,
)
from .errors import EngineError, PushError
from .fleet import Fleet, ServersSpec
from .forms import Ask, Ids, bad_output, completions_body, generate_body, read_reply
from .greet import Greeting, greet
from .lifecycle import Lifecycle
from .link import Link, LinkDown
from .sampling import check_spec
from .source import refuse_headless
from .text_form import read_text, text_body

__all__ = ["OpenAIEngine", "ServersSpec", "connect"]

_ROUTES = {"generate": "/inference/v1/generate"}
_LEVELS = (1, 2)
_TEXT_LEN = 4096
"""Assumed longest context of servers that do not tell theirs."""


async def connect(
    spec: ServersSpec, tokenizer: PreTrainedTokenizerBase | None = None
) -> "OpenAIEngine":
    """An engine over running servers. Raises `EngineError` for those that cannot be used.

    The tokenizer is for servers that know no token ids.
    """
    links = [Link(url, api_key=spec.api_key, connections=spec.max_concurrency) for url in spec.urls]
    try:
        greetings = [await greet(link, spec.model, spec.control_s) for link in links]
        if tokenizer is None and any(link.form == "text" for link in links):
            raise EngineError("a server without token ids needs a tokenizer on this side")
    except BaseException:
        for link in links:
            await link.close()
        raise
    return OpenAIEngine(spec, links, greetings, tokenizer)


class OpenAIEngine:
    """An `Engine` over HTTP; made by `connect`."""

    def __init__(
        self,
        spec: ServersSpec,
        links: Sequence[Link],
        greetings: Sequence[Greeting],
        tokenizer: PreTrainedTokenizerBase | None,
    ) -> None:
        self.roster = Roster()
        self._fleet, self._tokenizer = Fleet(spec, links), tokenizer
        self._capabilities = _capabilities(spec, links, greetings)
        self._life = Lifecycle(self._capabilities.sleep_levels, "default")
        self._errands: set[asyncio.Task[None]] = set()
        # Servers see requests of several runs; names must not collide.
        self._run = uuid.uuid4().hex[:8]

    @property
    def capabilities(self) -> Capabilities:
        """What all of its servers can do."""
        return self._capabilities

    async def generate(
        self, prompt_ids: Ids, spec: SamplingSpec, *, request_id: str, deadline_s: float
    ) -> Completion | GenFailure:
        """Sample one completion; giving up hangs up, which frees the server's memory."""
        self._life.check_generate()
        check_spec(spec)
        if spec.stop and not self._capabilities.stop_strings:
            raise ValueError("texts that end a reply lose token ids; use stop_token_ids")
        needed, longest = len(prompt_ids) + spec.max_tokens, self._capabilities.max_model_len
        if needed > longest:
            message = f"{request_id} needs {needed} of {longest} positions"
            return GenFailure(code="overflow", message=message, retryable=False)
        link = self._fleet.home(request_id)
        if link is None:
            message = "no server answers; the next push takes back those that are up again"
            return GenFailure(code="engine_dead", message=message, retryable=False)
        ask = Ask(
            ids=tuple(prompt_ids),
            spec=spec,
            model=link.facts.model,
            name=f"{self._run}-{request_id}",
            version=self._life.version,
        )
        try:
            async with asyncio.timeout(deadline_s):
                return await self._sample(link, ask)
        except TimeoutError:
            message = f"{request_id}: no reply from {link.url} within {deadline_s:g} s"
            return GenFailure(code="timeout", message=message, retryable=True)

    async def push_weights(self, weights: WeightSource, version: str) -> PushReport:
        """Send the weights to every server that answers. Raises `PushError`."""
        began = time.perf_counter()
        self._life.check_push(version)
        refuse_headless(name for name, _ in weights)
        held = self._life.pause_mode
        mode = held or ("keep" if self._capabilities.weight_versions else "wait")
        self._life.distrust(f"the push of version {version!r} broke off")
        try:
            sent = await self._fleet.push(weights, version, mode=mode, resume=held is None)
        except (EngineError, LinkDown) as error:
            raise PushError(f"version {version!r} did not reach the servers: {error}") from error
        self._life.pushed(version)
        seconds = time.perf_counter() - began
        return PushReport(
            version=version, seconds=seconds, bytes=sent, verified=False, max_abs_diff=float("nan")
        )

    async def pause(self, mode: PauseMode = "keep") -> None:
        """Pause every server. Raises `EngineError` where one does not."""
        self._life.check_open("pause")
        await self._fleet.order("/pause", params={"mode": mode, "clear_cache": "true"})
        self._life.pause_mode = mode

    async def resume(self) -> None:
        """Let them go on."""
        self._life.resume()
        await self._fleet.order("/resume")

    async def sleep(self, level: int = 1) -> None:
        """Free their memory."""
        self._life.sleep(level)
        await self._fleet.order("/sleep", params={"level": level})

    async def wake(self, tags: tuple[str, ...] | None = None) -> None:
        """Take memory again."""
        self._life.wake(tags)
        await self._fleet.order("/wake_up", params={"tags": list(tags)} if tags else {})

    async def health(self) -> Health:
        """Whether any server answers, and which do not."""
        up = [not self._life.closed and await link.answers() for link in self._fleet.links]
        down = [link.url for link, well in zip(self._fleet.links, up, strict=True) if not well]
        running = f"{sum(link.outstanding for link in self._fleet.links)} requests under way"
        detail = f"no answer from {', '.join(down)}" if down else running
        return self._life.health(detail, up=any(up))

    async def close(self) -> None:
        """Hang up."""
        if self._life.closed:
            return
        self._life.closed = True
        for errand in [*self._errands]:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        await self._fleet.close()

    async def _sample(self, link: Link, ask: Ask) -> Completion | GenFailure:
        path = _ROUTES.get(link.form, "/v1/completions")
        try:
            answer = await link.sample(path, self._body(link, ask))
        except asyncio.CancelledError:
            self._abort(link, ask)
            raise
        except LinkDown as error:
            link.alive = await link.answers()
            return GenFailure(code="engine_dead", message=str(error), retryable=True)
        if link.form == "text":
            assert self._tokenizer is not None
            return read_text(answer, ask, self._tokenizer)
        if link.form == "completions" and self._life.version != ask.version:
            return bad_output(
                f"{ask.name}: the weights changed under the request, and {link.url} does not tell "
                "which tokens came before"
            )
        return read_reply(answer, ask)

    def _body(self, link: Link, ask: Ask) -> dict[str, Any]:
        if link.form == "text":
            assert self._tokenizer is not None
            return text_body(ask, self._tokenizer)
        return generate_body(ask) if link.form == "generate" else completions_body(ask)

    def _abort(self, link: Link, ask: Ask) -> None:
        """Say that nobody waits any more: proxies may keep a hung-up connection to themselves."""
        if link.form != "generate":
            return

        async def errand() -> None:
            body = {"request_ids": [f"generate-tokens-{ask.name}"]}
            path = "/inference/v1/abort_requests"
            try:
                await link.ask("POST", path, deadline_s=5.0, json=body)
            except LinkDown:
                return

        task = asyncio.create_task(errand())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _capabilities(
    spec: ServersSpec, links: Sequence[Link], greetings: Sequence[Greeting]
) -> Capabilities:
    spans = all(link.form == "generate" for link in links)
    control = all(link.facts.control for link in links)
    kinds = {greeting.logprobs for greeting in greetings}
    worst = "none" if "none" in kinds else "raw" if "raw" in kinds else "processed"
    lengths = [link.facts.max_model_len or _TEXT_LEN for link in links]
    return Capabilities(
        name="openai",
        version=", ".join(sorted({link.facts.version for link in links})),
        max_model_len=min(lengths),
        max_concurrency=spec.max_concurrency * len(links),
        logprobs=worst,
        seeds="none" if worst == "none" else "statistical",
        weight_versions=spans,
        in_flight_push=spans and control,
        sampling_mask=all(greeting.masks for greeting in greetings),
        stop_strings=all(link.form == "text" for link in links),
        sleep_levels=_LEVELS if control else (),
    )

"""One episode of one sibling: from the reset to its trajectory, whatever happens on the way.

A reply that is no action still takes a turn: the environment gets an empty action. What the
infrastructure breaks ends the episode with a failing `Stop` and its cause; exceptions that leave
this module are programmer errors.
"""

import asyncio
import math
import time
from collections.abc import Awaitable
from dataclasses import dataclass, replace

import numpy as np

from .. import GigymError
from ..envs.pool import Seat
from ..envs.types import Reply, digest
from ..grouping.types import Stop, Trajectory, Turn
from .anchors import AnchorKind, anchor_keys
from .context import Context, Span, open_context
from .engine import Completion, GenFailure, SamplingSpec
from .parse import Parsed
from .prompt import Ids
from .seeds import request_seed
from .spec import Place, RolloutSpec, Table


async def play_episode(place: Place, seat: Seat, table: Table) -> Trajectory:
    """Play to the end and tell what happened."""
    try:
        first = await _answer(seat.reset(place.task), table.spec)
    except _Lost as lost:
        return Trajectory(
            task=place.key,
            index=place.sibling,
            rows=(),
            turns=(),
            final_anchor=None,
            stop=lost.stop,
            cause=lost.cause,
            seed=place.task.seed,
        )
    return await _Episode(place, seat, table, first).play()


class _Lost(Exception):
    """The episode cannot go on; becomes the trajectory's `stop` and `cause`."""

    def __init__(self, stop: Stop, cause: str) -> None:
        super().__init__(cause)
        self.stop = stop
        self.cause = cause


class _Episode:
    """An episode that was reset; `play` runs it once."""

    def __init__(self, place: Place, seat: Seat, table: Table, first: Reply) -> None:
        self._place = place
        self._seat = seat
        self._table = table
        self._spec = table.spec
        self._first = self._reply = first
        self._turns: list[Turn] = []
        self._context: Context = open_context(table.dialogue, first, table.spec)
        longest = min(table.spec.max_model_len, table.engine.capabilities.max_model_len)
        self._prompt_limit = longest - table.spec.max_action_tokens

    async def play(self) -> Trajectory:
        """The trajectory, a failed one if need be."""
        try:
            return self._trajectory(await self._run())
        except _Lost as lost:
            return replace(self._trajectory(lost.stop), final_anchor=None, cause=lost.cause)

    async def _run(self) -> Stop:
        while not self._reply.done:
            prompt = self._context.prompt(self._prompt_limit)
            if prompt is None:
                self._turns[-1:] = [replace(turn, truncated=True) for turn in self._turns[-1:]]
                return Stop.CONTEXT
            await self._take_turn(prompt)
        return Stop.DONE if self._reply.terminated else Stop.TURN_LIMIT

    async def _take_turn(self, prompt: Ids) -> None:
        completion = await self._sample(prompt)
        ids, finish = completion.token_ids, completion.finish_reason
        decision = _Decision(
            before=self._reply,
            completion=completion,
            parsed=self._table.dialogue.read(ids, finish, self._reply),
            span=self._context.take(ids),
        )
        action = decision.parsed.action or ""
        self._reply = await _answer(self._seat.step(action), self._spec)
        self._turns.append(_turn(decision, self._reply, self._spec.anchor))
        if not self._reply.done:
            self._context.observe(action, self._reply)

    async def _sample(self, prompt: Ids) -> Completion:
        limit = self._spec.generate_deadline_s
        try:
            # An engine that keeps the deadline says more about it than we can; it gets the chance.
            async with asyncio.timeout(limit + min(1.0, limit / 10)):
                return await self._ask(prompt, time.monotonic() + limit)
        except TimeoutError:
            raise _Lost(Stop.ENGINE_ERROR, f"the engine gave no reply within {limit} s") from None

    async def _ask(self, prompt: Ids, until: float) -> Completion:
        """Ask again, with another seed, where a failure may pass and time is left."""
        attempt = 0
        while True:
            answer = _checked(
                await self._table.engine.generate(
                    prompt,
                    self._sampling(attempt),
                    request_id=self._request_id(attempt),
                    deadline_s=until - time.monotonic(),
                )
            )
            if isinstance(answer, Completion):
                return answer
            spent = attempt == self._spec.retries or time.monotonic() >= until
            if spent or not answer.retryable:
                stop = Stop.CANCELLED if answer.code == "cancelled" else Stop.ENGINE_ERROR
                raise _Lost(stop, f"{answer.code}: {answer.message}")
            attempt += 1

    def _sampling(self, attempt: int) -> SamplingSpec:
        spec, place = self._spec, self._place
        return SamplingSpec(
            max_tokens=spec.max_action_tokens,
            temperature=spec.temperature,
            greedy=spec.greedy,
            stop_token_ids=self._table.dialogue.stop_token_ids,
            seed=request_seed(
                spec.run_seed, spec.iteration, place.key, place.draw, len(self._turns), attempt
            ),
        )

    def _request_id(self, attempt: int) -> str:
        """Sorts by task, sibling and turn; the part before the slash names the episode."""
        place = self._place
        again = f".{attempt}" if attempt else ""
        episode = f"{self._spec.iteration:06d}-{place.group:05d}-{place.sibling:04d}"
        return f"{episode}/{len(self._turns):05d}{again}"

    def _trajectory(self, stop: Stop) -> Trajectory:
        facts = self._first.info
        return Trajectory(
            task=self._place.key,
            index=self._place.sibling,
            rows=self._context.rows(),
            turns=tuple(self._turns),
            final_anchor=anchor_keys(self._reply, self._spec.anchor)[0],
            stop=stop,
            task_id=str(facts.get("task_id", "")),
            task_type=str(facts.get("task_type", "")),
            seed=self._place.task.seed,
            success=self._reply.info.get("won") is True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """What the agent did in answer to a reply."""

    before: Reply
    completion: Completion
    parsed: Parsed
    span: Span


def _turn(decision: _Decision, after: Reply, anchor: AnchorKind) -> Turn:
    before, completion, parsed = decision.before, decision.completion, decision.parsed
    keys = anchor_keys(before, anchor)
    action = parsed.action or ""
    return Turn(
        anchor=keys[0],
        keys=keys,
        state_key=before.state_key,
        observation_key=before.observation_key,
        action_key=digest(action),
        row=decision.span.row,
        start=decision.span.start,
        stop=decision.span.stop,
        logprobs=np.asarray(completion.logprobs, np.float32),
        weight_versions=completion.weight_versions,
        finish_reason=completion.finish_reason,
        reward=after.reward,
        terminated=after.terminated,
        truncated=after.truncated,
        valid=parsed.valid,
        admissible=parsed.admissible,
        reason=parsed.reason,
        observation=before.observation,
        text=parsed.text,
        action=action,
    )


async def _answer(call: Awaitable[Reply], spec: RolloutSpec) -> Reply:
    """The environment's answer within its deadline."""
    try:
        async with asyncio.timeout(spec.env_deadline_s):
            return await call
    except TimeoutError:
        cause = f"the environment gave no answer within {spec.env_deadline_s} s"
        raise _Lost(Stop.ENV_ERROR, cause) from None
    except GigymError as error:
        raise _Lost(Stop.ENV_ERROR, f"{type(error).__name__}: {error}") from error


def _checked(answer: Completion | GenFailure) -> Completion | GenFailure:
    """A completion that cannot be trained on is a failure like any other."""
    if isinstance(answer, GenFailure):
        return answer
    fault = None
    if answer.finish_reason == "abort":
        fault = "the engine aborted the request"
    elif len(answer.logprobs) != len(answer.token_ids):
        fault = f"{len(answer.token_ids)} tokens came with {len(answer.logprobs)} logprobs"
    elif not all(map(math.isfinite, answer.logprobs)):
        fault = "a logprob is not finite"
    if fault is None:
        return answer
    return GenFailure(code="bad_output", message=fault, retryable=True, partial=answer)

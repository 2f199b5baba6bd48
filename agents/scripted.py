"""Play without a model: an engine that answers from a function, a random policy, `play`.

`ScriptedEngine` stands behind the same protocol as a real one and draws nothing: its logprobs are
those of certainty. Policies (experts, `RandomPolicy`) need no tokens; `play` and `play_seat` run
one episode of them in process or on any seat.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

from ..envs.base import TextEnv
from ..envs.errors import Unsupported
from ..envs.pool import Seat
from ..envs.types import Policy, Reply, Task
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
from .lifecycle import Lifecycle

Answer = Callable[[tuple[int, ...], SamplingSpec], Sequence[int] | GenFailure]
"""From prompt ids and how to sample (the seed among it) to reply ids, or to a failure."""

Transcript = list[tuple[str, Reply]]
"""Actions and what they led to; the first entry is `("", answer to the reset)`."""


class ScriptedEngine:
    """An engine whose replies come from a function; what exceeds the token limit is cut."""

    def __init__(
        self,
        answer: Answer,
        *,
        max_model_len: int = 4096,
        latency: Callable[[str], float] = lambda request_id: 0.0,
    ) -> None:
        self.roster = Roster()
        self.requests: list[str] = []
        """Ids of all requests in the order of their arrival."""
        self._answer = answer
        self._latency = latency
        self._life = Lifecycle(levels=())
        self._running = asyncio.Event()
        self._running.set()
        self._capabilities = Capabilities(
            name="scripted", max_model_len=max_model_len, max_concurrency=1024
        )

    @property
    def capabilities(self) -> Capabilities:
        """Seeds are bitwise as far as the function is one of its arguments."""
        return self._capabilities

    async def generate(
        self, prompt_ids: tuple[int, ...], spec: SamplingSpec, *, request_id: str, deadline_s: float
    ) -> Completion | GenFailure:
        """The function's answer, after the latency of this request."""
        self._life.check_generate()
        self.requests.append(request_id)
        try:
            async with asyncio.timeout(deadline_s):
                await self._running.wait()
                await asyncio.sleep(self._latency(request_id))
        except TimeoutError:
            return GenFailure(code="timeout", message=f"over {deadline_s} s", retryable=True)
        answer = self._answer(prompt_ids, spec)
        if isinstance(answer, GenFailure):
            return answer
        ids = tuple(answer)[: spec.max_tokens]
        closed = bool(ids) and ids[-1] in spec.stop_token_ids
        return Completion(
            token_ids=ids,
            logprobs=(0.0,) * len(ids),
            finish_reason="stop" if closed or len(ids) < spec.max_tokens else "length",
            weight_versions=((self._life.version, 0, len(ids)),),
            prompt_tokens=len(prompt_ids),
        )

    async def push_weights(self, weights: WeightSource, version: str) -> PushReport:
        """Answer under a new version; nothing is done with the weights."""
        self._life.check_push(version)
        self._life.pushed(version)
        return PushReport(version=version, seconds=0.0, bytes=0, verified=True, max_abs_diff=0.0)

    async def pause(self, mode: PauseMode = "keep") -> None:
        """Hold later requests; those under way are past stopping."""
        self._life.pause_mode = mode
        self._running.clear()

    async def resume(self) -> None:
        """Answer again."""
        self._life.resume()
        self._running.set()

    async def sleep(self, level: int = 1) -> None:
        """Raises `OutOfOrder`: there is nothing to free."""
        self._life.sleep(level)

    async def wake(self, tags: tuple[str, ...] | None = None) -> None:
        """Raises `OutOfOrder`: it never sleeps."""
        self._life.wake(tags)

    async def health(self) -> Health:
        """Always well."""
        return self._life.health(f"{len(self.requests)} requests so far")

    async def close(self) -> None:
        """Nothing to free."""


class RandomPolicy:
    """Plays a uniformly random admissible action. Raises `Unsupported` where none are listed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def act(self, reply: Reply) -> str:
        """Draw the next action."""
        if not reply.admissible_actions:
            raise Unsupported(
                "the environment lists no admissible actions, a random policy has nothing to "
                "draw from; play it with an expert or a model"
            )
        return self._random.choice(reply.admissible_actions)


def play(env: TextEnv, policy: Policy, task: Task, max_turns: int) -> Transcript:
    """One episode in process, until it ends or `max_turns` actions are taken."""
    transcript = [("", env.start(task.seed, task.options))]
    while not transcript[-1][1].done and len(transcript) <= max_turns:
        action = policy.act(transcript[-1][1])
        transcript.append((action, env.answer(action)))
    return transcript


async def play_seat(seat: Seat, policy: Policy, task: Task, max_turns: int) -> Transcript:
    """One episode on a seat, until it ends or `max_turns` actions are taken."""
    transcript = [("", await seat.reset(task))]
    while not transcript[-1][1].done and len(transcript) <= max_turns:
        action = policy.act(transcript[-1][1])
        transcript.append((action, await seat.step(action)))
    return transcript

"""Where a run's episodes are played: the env server, the sessions on it, the engine, one loop.

The arena starts a server unless the configuration names some, keeps one asyncio loop for its
whole life, and plays groups of siblings on demand.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..agents.anchors import AnchorKind
from ..agents.rollout import RolloutSpec, collect
from ..envs import Task, card
from ..envs.connect import ConnectedPool, Target, seat_pool, urls_of
from ..envs.connect.target import NATIVE
from ..envs.remote import ClientSpec
from ..grouping import Group
from ..servers import HostedEnv, LocalServer, ServerSpec
from .abroad import server_token
from .config import Config
from .engines import start_sampler
from .errors import ConfigError, TooManyFailures
from .signals import StopWish
from .weights import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a round of episodes is for."""

    iteration: int
    """Part of every sampling seed; negative for evaluations."""
    siblings: int
    temperature: float


class Arena:
    """Plays tasks with the actor's present weights; a context manager."""

    def __init__(self, config: Config, actor: Actor, wish: StopWish, logs: Path) -> None:
        self._config, self._actor, self._wish = config, actor, wish
        self._logs = logs
        self._pools: dict[str, ConnectedPool] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._urls = self._config.env.urls or (self._start_server(stack),)
            self._runner = stack.enter_context(asyncio.Runner())
            self._sampler = self._runner.run(start_sampler(self._config, self._actor))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            self._runner.run(self._close())

    def play(
        self, tasks: Sequence[Task], options: Mapping[str, Any], occasion: Occasion
    ) -> tuple[Group, ...]:
        """Collect the siblings of every task.

        Raises `asyncio.CancelledError` on a stop wish, `TooManyFailures` when more than
        `rollout.max_failure_share` of the episodes was lost to infrastructure, `ConfigError` when
        contexts are too short for a single turn.
        """
        groups = self._wish.run(self._runner, self._collect(tasks, options, occasion))
        refuse_failures(groups, self._config.rollout.max_failure_share)
        if not any(episode.turns for group in groups for episode in group.trajectories):
            raise ConfigError(
                f"engine.max_model_len: no prompt of {self._config.env.id} fits into "
                f"{self._config.engine.max_model_len} tokens beside a reply of "
                f"{self._config.rollout.max_action_tokens}; set a larger one"
            )
        return groups

    def push(self, version: str) -> None:
        """Let the engine sample with the learner's present weights from here on.

        Raises `PushError` where it does not.
        """
        self._runner.run(self._sampler.push(version))

    async def _collect(
        self, tasks: Sequence[Task], options: Mapping[str, Any], occasion: Occasion
    ) -> tuple[Group, ...]:
        config, pool = self._config.rollout, self._pool(options)
        spec = RolloutSpec(
            run_seed=self._config.seed,
            iteration=occasion.iteration,
            siblings=occasion.siblings,
            temperature=occasion.temperature,
            max_action_tokens=config.max_action_tokens,
            max_model_len=self._config.engine.max_model_len,
            context=config.context,
            history=config.history,
            anchor=await self._anchor(pool),
            env_deadline_s=config.env_deadline_s,
            generate_deadline_s=config.generate_deadline_s,
            max_live=self._config.engine.slots,
        )
        return await collect(tasks, pool, self._sampler.engine, self._actor.dialogue, spec)

    async def _anchor(self, pool: ConnectedPool) -> AnchorKind:
        """The anchor that was asked for; foreign servers name no states, but show observations."""
        met, wanted = await pool.meeting(), self._config.rollout.anchor
        nameless = met.kind != NATIVE and "state_key" not in met.card.caps
        return "observation" if wanted == "state" and nameless else wanted

    def _pool(self, options: Mapping[str, Any]) -> ConnectedPool:
        """Sessions with these options; host options were given to the server when it started."""
        remote = {name: value for name, value in options.items() if name not in self._hosted}
        key = json.dumps(remote, sort_keys=True)
        if key not in self._pools:
            # Gives up before the rollout does, so that its words about the cause are heard.
            client = ClientSpec(deadline_s=0.95 * self._config.rollout.env_deadline_s)
            target = Target(
                urls=urls_of(self._urls),
                env=self._config.env.id,
                kind=self._config.env.kind if self._config.env.urls else NATIVE,
                token=server_token(self._config),
            )
            self._pools[key] = seat_pool(target, remote, client)
        return self._pools[key]

    @property
    def _hosted(self) -> tuple[str, ...]:
        return card(self._config.env.id).host_options if not self._config.env.urls else ()

    def _start_server(self, stack: contextlib.ExitStack) -> str:
        options = {n: v for n, v in self._config.env.options.items() if n in self._hosted}
        spec = ServerSpec(envs=(HostedEnv(id=self._config.env.id, options=options),), port=0)
        server = stack.enter_context(LocalServer(spec, log=self._logs / "server.log"))
        return server.url

    async def _close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        await self._sampler.engine.close()


def refuse_failures(groups: Sequence[Group], most: float) -> None:
    """Raise `TooManyFailures` when more than a share `most` of the episodes was lost."""
    failures = [t for group in groups for t in group.failures]
    total = len(failures) + sum(len(group.trajectories) for group in groups)
    if len(failures) <= most * total:
        return
    causes = sorted({f"{t.stop}: {t.cause}" for t in failures})
    raise TooManyFailures(
        f"{len(failures)} of {total} episodes failed, more than rollout.max_failure_share="
        f"{most}; causes: {'; '.join(causes[:3])}"
    )

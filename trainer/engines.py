"""The engine a configuration names, started, and pushes to it that are checked.

An engine with weights of its own gets the learner's before anything is sampled.
"""

from dataclasses import replace
from pathlib import Path

import torch

from ..agents.engine import Capabilities, Engine, PushReport
from ..agents.hf import HFEngine
from ..agents.source import ModelWeights
from ..agents.verify import BFLOAT16, FLOAT32, Limits, PushCheck
from ..servers import load_token
from .config import Config
from .errors import ConfigError
from .weights import Actor


class Sampler:
    """An engine beside the actor whose weights it samples with."""

    def __init__(self, engine: Engine, actor: Actor, config: Config) -> None:
        self.engine = engine
        self._weights = ModelWeights(actor.model)
        self._when = config.engine.verify_push
        if engine.capabilities.shares_learner_weights:
            self._when = "never"
        self._check = PushCheck(engine, actor.model, _limits(actor, config))

    async def push(self, version: str) -> PushReport:
        """Name or send the present weights. Raises `PushError`, also where a check fails."""
        if self._when == "never":
            return await self.engine.push_weights(self._weights, version)
        await self._check.before()
        report = await self.engine.push_weights(self._weights, version)
        difference = await self._check.after(version)
        if self._when == "first":
            self._when = "never"
        return replace(report, verified=True, max_abs_diff=difference)


async def start_sampler(config: Config, actor: Actor) -> Sampler:
    """Start or reach the engine. Raises `EngineError`, `PushError`, `ConfigError`."""
    engine = await _start(config, actor)
    try:
        _refuse_unfit(engine.capabilities, config)
        sampler = Sampler(engine, actor, config)
        if not engine.capabilities.shares_learner_weights:
            await sampler.push("0")
    except BaseException:
        await engine.close()
        raise
    return sampler


async def _start(config: Config, actor: Actor) -> Engine:
    section = config.engine
    if section.name == "openai":
        from ..agents.openai import ServersSpec, connect

        spec = ServersSpec(
            urls=section.urls,
            api_key=_token(section.token_file),
            max_concurrency=section.slots,
        )
        return await connect(spec, actor.tokenizer)
    on_cpu = next(actor.model.parameters()).device.type == "cpu"
    wanted = config.rollout.deterministic
    return HFEngine(
        actor.model,
        slots=section.slots,
        max_model_len=section.max_model_len,
        deterministic=on_cpu if wanted is None else wanted,
    )


def _token(path: str) -> str:
    if not path:
        return ""
    file = Path(path).expanduser()
    if not file.is_file():
        raise ConfigError(f"engine.token_file: no such file: {file}")
    return load_token(file)


def _limits(actor: Actor, config: Config) -> Limits:
    """By the coarser precision of both sides, where the engine's is known."""
    learner = next(actor.model.parameters()).dtype
    exact = learner == torch.float32 and config.engine.dtype in ("auto", "float32")
    return FLOAT32 if exact else BFLOAT16


def _refuse_unfit(said: Capabilities, config: Config) -> None:
    """Raise `ConfigError` where the engine's logprobs are not those of what it samples."""
    if said.logprobs == "none":
        raise ConfigError(
            "engine.url: the server gives text and no token ids, so its weights cannot be trained; "
            "expected a server of vLLM's kind"
        )
    temperature = config.rollout.temperature
    if said.logprobs == "raw" and temperature != 1:
        raise ConfigError(
            f"rollout.temperature: the server tells logprobs before temperature, so it must be 1, "
            f"got {temperature}; or start the server with --logprobs-mode processed_logprobs"
        )

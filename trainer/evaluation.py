"""Scoring a finished or running run's agent on tasks of choice, with intervals per task type."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..agents.record import Source, write_episodes
from ..agents.rollout import rollout_metrics
from ..envs import Task, make
from ..grouping import Group
from .abroad import hosted_games
from .arena import Arena, Occasion
from .checkpoint import find_checkpoint
from .config import Config
from .errors import CheckpointError, ConfigError, Interrupted
from .loop import source_of
from .progress import Progress
from .recipe import override
from .rundir import RunDir, open_run
from .score import Score, score_by_type
from .signals import StopWish
from .tasks import plan_tasks
from .weights import load_actor
from .world import world_card

_EVALUATION = -3


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalOptions:
    """What to score on; what is left empty is taken from the run."""

    games: str = ""
    """Pack, folder or zip of games for environments that read them; all are played."""
    split: str = ""
    """Split of the environment."""
    episodes: int = 0
    """Number of tasks, one episode each; 0 plays all games of a set, else `eval.episodes`."""
    temperature: float | None = None
    step: int | None = None
    """Checkpoint by iteration; None is the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalReport:
    """What an evaluation found."""

    by_type: Mapping[str, Score]
    """Success per task type in name order; `all` comes last."""
    report: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Where and how: checkpoint, options, metrics, folder of the files written."""


def evaluate(path: str, options: EvalOptions, progress: Progress) -> EvalReport:
    """Play the tasks once with a run's checkpoint and write `eval/<time>/` into the run.

    Raises `ConfigError` for what is no run, `CheckpointError` where there is no such checkpoint,
    `Interrupted` when a signal ended it.
    """
    run, config = open_run(path)
    checkpoint = find_checkpoint(run.checkpoints, options.step)
    if checkpoint is None:
        raise CheckpointError(f"{path} has no checkpoint yet; train it first")
    config = _configured(config, options)
    tasks, env_options = _tasks(config, options)
    temperature = config.eval.temperature if options.temperature is None else options.temperature
    progress.say(f"scoring {checkpoint.path} on {len(tasks)} tasks of {config.env.id}")
    actor = load_actor(str(checkpoint.path), config)
    occasion = Occasion(iteration=_EVALUATION, siblings=1, temperature=temperature)
    began = time.perf_counter()
    with StopWish() as wish, Arena(config, actor, wish, run.path) as arena:
        try:
            groups = arena.play(tasks, env_options, occasion)
        except asyncio.CancelledError:
            raise Interrupted("evaluation stopped by a signal; nothing was written") from None
    about = {
        "checkpoint": str(checkpoint.path),
        "env": {"id": config.env.id, "version": world_card(config).version, **env_options},
        "temperature": temperature,
        "seconds": time.perf_counter() - began,
        "metrics": rollout_metrics(groups),
    }
    return _written(run, groups, about, source_of(config))


def _configured(config: Config, options: EvalOptions) -> Config:
    texts = [f"env.split={json.dumps(options.split)}"] if options.split else []
    if options.games:
        texts += [f"env.games={json.dumps(options.games)}", "env.urls=[]"]
    return override(config, texts)


def _tasks(config: Config, options: EvalOptions) -> tuple[tuple[Task, ...], Mapping[str, Any]]:
    own = dict(config.env.options)
    if not options.games and not options.split:
        plan = plan_tasks(config)
        held = len(plan.heldout_seeds)
        if held < max(1, options.episodes):
            raise ConfigError(
                f"the run holds out {held} tasks, {max(1, options.episodes)} are asked for; "
                "name a split or games to score on others"
            )
        return plan.tasks(plan.heldout_seeds[: options.episodes or None]), plan.heldout_options
    far = bool(config.env.urls)
    games = hosted_games(config) if far else make(config.env.id, **own).num_tasks
    count = options.episodes or games or config.eval.episodes
    return tuple(Task(env=config.env.id, seed=seed) for seed in range(count)), own


def _written(
    run: RunDir, groups: Sequence[Group], about: Mapping[str, Any], source: Source
) -> EvalReport:
    by_type = score_by_type(groups)
    folder = run.path / "eval" / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    report = {**about, "by_type": {kind: s.json() for kind, s in by_type.items()}}
    (folder / "results.json").write_text(json.dumps(report, indent=1) + "\n")
    write_episodes(folder / "episodes.jsonl", groups, source=source)
    return EvalReport(by_type=by_type, report={**report, "folder": str(folder)})

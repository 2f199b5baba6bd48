"""One page: collect, credit, update, push; around it what a run needs to start, stop and go on.

    tasks -> episodes of siblings -> Steps -> Credit -> rows -> optimiser steps -> next version

Iteration i samples with the weights of version i; everything random derives from the run's seed
and i, so a run continued from the checkpoint of iteration i repeats what would have come.
"""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..agents.record import Source, write_episodes
from ..agents.rollout import rollout_metrics
from ..envs import MissingExtra, ServerError
from ..grouping import Group
from .arena import Arena, Occasion
from .checkpoint import (
    clean,
    find_checkpoint,
    latest_iteration,
    load_optimizer,
    prune,
    save_checkpoint,
)
from .config import Config
from .errors import Interrupted, Terminated, TooManyFailures
from .learner import Learner, Reference, frozen_copy
from .metrics import Stopwatch, append_metrics
from .plot import plot_curve
from .progress import Progress
from .recipe import override, refuse_changes
from .rundir import RunDir, create_run, open_run, rewind
from .score import Score, score, score_by_type
from .signals import StopWish
from .tasks import TaskPlan, iteration_seeds, plan_tasks
from .update import comparable, credit_of, update
from .warmstart import warm_start
from .weights import Actor, build_actor, load_actor
from .world import world_card

_BEFORE, _AFTER = -1, -2


def train(config: Config, progress: Progress) -> RunDir:
    """Run a configuration to its end in a fresh run directory.

    Raises `Interrupted` when a signal stopped it; the run can then be resumed.
    """
    try:
        plan = plan_tasks(config)
    except ServerError:
        create_run(config).set_status("failed")
        raise
    return _drive(create_run(config), config, plan, progress)


def resume(path: str, progress: Progress, overrides: Sequence[str] = ()) -> RunDir:
    """Continue a run from its latest checkpoint; `overrides` such as `iterations=60` apply.

    Raises `ConfigError` for overrides that would make another run of it.
    """
    run, old = open_run(path)
    config = override(old, overrides)
    refuse_changes(old, config, latest_iteration(run.checkpoints) or 0)
    plan = plan_tasks(config)
    if overrides:
        run.write_config(config)
    return _drive(run, config, plan, progress)


def _drive(run: RunDir, config: Config, plan: TaskPlan, progress: Progress) -> RunDir:
    run.set_status("running")
    with StopWish() as wish:
        try:
            _work(run, config, plan, progress, wish)
        except asyncio.CancelledError:
            run.set_status("stopped")
            saved = (run.checkpoints / "latest").exists()
            state = "its state is saved" if saved else "nothing was trained yet"
            kind = Terminated if wish.signal == signal.SIGTERM else Interrupted
            raise kind(
                f"stopped by a signal, {state}; continue with: gigym train --resume {run.path}"
            ) from None
        except BaseException:
            run.set_status("failed")
            raise
    run.set_status("done")
    return run


def _work(run: RunDir, config: Config, plan: TaskPlan, progress: Progress, wish: StopWish) -> None:
    clean(run.checkpoints)
    actor, learner, done = _start_or_restore(run, config, plan, progress, wish)
    with Arena(config, actor, wish, run.path) as arena:
        work = _Work(run, config, plan, progress, wish, actor, learner, arena)
        if done == 0:
            work.baseline()
        # Names the version, and drops what the baseline cached: a resumed run has no such cache.
        arena.push(str(done))
        try:
            for iteration in range(done, config.iterations):
                work.iterate(iteration)
                done = iteration + 1
                if config.checkpoint.every and done % config.checkpoint.every == 0:
                    work.save(done)
        except (asyncio.CancelledError, TooManyFailures) as stopped:
            work.save(done)
            if isinstance(stopped, TooManyFailures):
                hint = f"continue with: gigym train --resume {run.path}"
                raise TooManyFailures(f"{stopped}; when that is mended {hint}") from stopped
            raise
        work.save(done)
        work.finish()


def _start_or_restore(
    run: RunDir, config: Config, plan: TaskPlan, progress: Progress, wish: StopWish
) -> tuple[Actor, Learner, int]:
    checkpoint = find_checkpoint(run.checkpoints)
    if checkpoint is None:
        actor = warm_start(build_actor(config), config, plan, progress, wish)
        if wish.asked:
            raise asyncio.CancelledError
        learner = _learner(config, actor, actor)
        save_checkpoint(run.checkpoints, 0, actor, learner.optimizer)
        return actor, learner, 0
    progress.say(f"continuing after iteration {checkpoint.iteration} from {checkpoint.path}")
    rewind(run, checkpoint.iteration)
    actor = load_actor(str(checkpoint.path), config)
    first = find_checkpoint(run.checkpoints, 0) if config.objective.kl_coef else None
    learner = _learner(config, actor, load_actor(str(first.path), config) if first else actor)
    load_optimizer(checkpoint, learner.optimizer)
    return actor, learner, checkpoint.iteration


def _learner(config: Config, actor: Actor, start: Actor) -> Learner:
    coef = config.objective.kl_coef
    return Learner(
        actor.model,
        config.optim,
        temperature=config.rollout.temperature,
        reference=Reference(model=frozen_copy(start.model), coef=coef) if coef else None,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """A run under way."""

    run: RunDir
    config: Config
    plan: TaskPlan
    progress: Progress
    wish: StopWish
    actor: Actor
    learner: Learner
    arena: Arena
    warned: set[str] = field(default_factory=set[str])
    """What the estimator warned of so far; each sentence is said once."""

    def iterate(self, iteration: int) -> None:
        """Collect, credit, update, push, write down."""
        watch = Stopwatch()
        with watch.span("rollout"):
            played = self._collect(iteration)
            groups = comparable(played)
        with watch.span("credit"):
            credit = credit_of(groups, self.config)
        for warning in (text for text in credit.warnings if text not in self.warned):
            self.progress.say(f"{self.config.estimator}: {warning}")
        self.warned.update(credit.warnings)
        with watch.span("learn"):
            losses = update(self.learner, groups, credit, self.config, iteration)
        with watch.span("push"):
            self.arena.push(str(iteration + 1))
        with watch.span("write"):
            path = self.run.episodes(iteration + 1)
            write_episodes(path, groups, credit, step=iteration + 1, source=source_of(self.config))
        told = rollout_metrics(played)
        told["rollout/groups_dropped"] = float(sum(not group.trajectories for group in groups))
        headline = {"success": told["rollout/success"], "return": told["rollout/return_mean"]}
        metrics = {**headline, **told, **credit.report, **losses, **watch.metrics()}
        append_metrics(self.run.metrics, iteration + 1, metrics)
        self.progress.iteration(metrics, iteration + 1, self.config.iterations)

    def _collect(self, iteration: int) -> tuple[Group, ...]:
        tasks = self.plan.tasks(iteration_seeds(self.plan, self.config, iteration))
        occasion = Occasion(
            iteration=iteration,
            siblings=self.config.rollout.siblings,
            temperature=self.config.rollout.temperature,
        )
        return self.arena.play(tasks, self.plan.train_options, occasion)

    def save(self, done: int) -> None:
        """Checkpoint the state after `done` iterations unless it is there already."""
        if latest_iteration(self.run.checkpoints) == done:
            return
        save_checkpoint(self.run.checkpoints, done, self.actor, self.learner.optimizer)
        prune(self.run.checkpoints, self.config.checkpoint.keep)

    def baseline(self) -> None:
        """Score the agent before training, once per run."""
        if not self.run.read_json("baseline.json"):
            self.run.write_json("baseline.json", self._scores("before", _BEFORE))

    def finish(self) -> None:
        """Score the agent after training, write the summary, draw the curve."""
        scores = {**self.run.read_json("baseline.json"), **self._scores("after", _AFTER)}
        config = self.config
        about = {
            "estimator": config.estimator,
            "seed": config.seed,
            "iterations": config.iterations,
            "eval_temperature": config.eval.temperature,
        }
        self.run.write_json("summary.json", {**scores, **about})
        try:
            plot_curve(self.run)
        except MissingExtra as missing:
            self.progress.say(f"no curve drawn: {missing}")

    def _scores(self, when: str, iteration: int) -> dict[str, Any]:
        if not self.config.eval.episodes:
            return {}
        self.progress.say(f"scoring the agent {when} training")
        trained = self._score(self.plan.eval_seeds, self.plan.train_options, iteration)
        heldout = self._score(self.plan.heldout_seeds, self.plan.heldout_options, iteration)
        return {f"train_{when}": trained.json(), f"heldout_{when}": heldout.json()}

    def _score(self, seeds: Sequence[int], options: Mapping[str, Any], iteration: int) -> Score:
        if not seeds:
            return score([])
        occasion = Occasion(
            iteration=iteration,
            siblings=max(1, round(self.config.eval.episodes / len(seeds))),
            temperature=self.config.eval.temperature,
        )
        groups = self.arena.play(self.plan.tasks(seeds), options, occasion)
        return score_by_type(groups)["all"]


def source_of(config: Config) -> Source:
    """Where a run's episodes come from, for their records."""
    split = config.env.options.get("split", "")
    return Source(env=config.env.id, env_version=world_card(config).version, split=str(split))

"""Warm start: behaviour cloning on scripted experts, in stages, kept by the hash of its recipe.

Reinforcement learning needs an agent that wins now and then. Each stage plays fresh expert
episodes with its own share of random actions and clones them once or more; the result depends on
the recipe alone, not on the seed of the run, so runs that share a recipe share their start.
"""

import hashlib
import itertools
import json
import os
import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from .. import __version__
from ..envs import card, make
from .batch import Row, pack
from .config import Config, DemoStage
from .demos import DemoSpec, demonstrations
from .learner import Learner
from .loss import cloning
from .progress import Progress
from .signals import StopWish
from .tasks import TaskPlan
from .weights import Actor, load_actor

_BETAS = (0.9, 0.98)
_WINDOW = 16
"""Mini-batches among which rows are sorted by length."""


def warm_start(
    actor: Actor, config: Config, plan: TaskPlan, progress: Progress, wish: StopWish
) -> Actor:
    """The actor after cloning, from the cache when this recipe was run before.

    A stop wish ends it early, with the actor as far as it came and nothing cached.
    """
    if not config.warmstart.stages:
        return actor
    kept = cache_folder() / "warmstart" / recipe_hash(config, plan)
    if config.warmstart.cache and (kept / "config.json").is_file():
        progress.say(f"warm start: taken from {kept}")
        return load_actor(str(kept), config)
    demos = sum(stage.episodes for stage in config.warmstart.stages)
    progress.say(f"warm start: cloning {demos} episodes of the {config.warmstart.expert} expert")
    _Course(actor=actor, config=config, plan=plan, progress=progress, wish=wish).run()
    if config.warmstart.cache and not wish.asked:
        try:
            _keep(actor, kept)
        except OSError as error:
            progress.say(f"the warm start is used but not kept for other runs: {error}")
    return actor


def cache_folder() -> Path:
    """`$GIGYM_CACHE`, else `gigym` under the user's cache directory."""
    if named := os.environ.get("GIGYM_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gigym"


def recipe_hash(config: Config, plan: TaskPlan) -> str:
    """Names all that a warm start depends on; equal hashes give equal weights."""
    facts = {
        "gigym": __version__,
        "torch": torch.__version__,
        "env": card(config.env.id).version,
        "env_options": config.env.options,
        "env_id": config.env.id,
        "model": config.model.model_dump(mode="json"),
        "warmstart": config.warmstart.model_dump(mode="json", exclude={"cache"}),
        "max_model_len": config.engine.max_model_len,
        "show_choices": config.rollout.show_choices,
        **config.optim.model_dump(include={"bin_tokens", "grad_clip", "head_chunk"}),
        "seeds": list(plan.demo_seeds),
    }
    text = json.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """The stages of one warm start."""

    actor: Actor
    config: Config
    plan: TaskPlan
    progress: Progress
    wish: StopWish

    def run(self) -> None:
        seeds = itertools.cycle(self.plan.demo_seeds)
        stages = self.config.warmstart.stages
        for number, stage in enumerate(stages, start=1):
            label = f"warm start {number}/{len(stages)}"
            own = list(itertools.islice(seeds, stage.episodes))
            rows = self._played(stage, own, f"{label}: expert plays")
            self._clone(stage, rows, f"{label}: cloning")
            if self.wish.asked:
                return

    def _played(self, stage: DemoStage, seeds: Sequence[int], label: str) -> list[Row]:
        spec = DemoSpec(
            expert=self.config.warmstart.expert,
            noise=stage.noise,
            observation_weight=self.config.warmstart.observation_weight,
            max_model_len=self.config.engine.max_model_len,
            seed=self.config.warmstart.seed,
        )
        env = make(self.config.env.id, **self.plan.train_options)
        rows: list[Row] = []
        for row in demonstrations(env, self.actor.dialogue, seeds, spec):
            rows.append(row)
            if not self._goes_on(label, len(rows), len(seeds)):
                break
        return rows

    def _clone(self, stage: DemoStage, rows: Sequence[Row], label: str) -> None:
        settings = {"betas": _BETAS, "weight_decay": 0.0}
        learner = Learner(self.actor.model, self.config.optim.model_copy(update=settings))
        rng = random.Random(f"warm start:{self.config.warmstart.seed}")
        size = self.config.warmstart.batch_episodes
        chunks = [chunk for _ in range(stage.epochs) for chunk in _chunks(rows, size, rng)]
        for done, chunk in enumerate(chunks):
            learner.set_lr(stage.lr * (1 - 0.9 * done / len(chunks)))
            batches = pack(chunk, self.config.optim.bin_tokens)
            learner.step(batches, sum(row.weight for row in chunk), cloning)
            if not self._goes_on(label, done + 1, len(chunks)):
                return

    def _goes_on(self, label: str, done: int, total: int) -> bool:
        self.progress.work(label, done, total)
        return not self.wish.asked


def _chunks(rows: Sequence[Row], size: int, rng: random.Random) -> list[list[Row]]:
    """The rows in random order, but rows of like length together, since padding is computed."""
    order = rng.sample(rows, len(rows))
    window = _WINDOW * size
    for start in range(0, len(order), window):
        part = sorted(order[start : start + window], key=lambda row: len(row.ids))
        order[start : start + window] = part
    chunks = [order[start : start + size] for start in range(0, len(order), size)]
    return rng.sample(chunks, len(chunks))


def _keep(actor: Actor, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".tmp-", dir=kept.parent))
    actor.save(partial)
    try:
        partial.rename(kept)
    except OSError:
        # Another run finished the same recipe first; its result is equal.
        shutil.rmtree(partial)

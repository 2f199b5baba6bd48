"""Batches for the credit benchmark: sibling trajectories in solvable worlds, and the truth.

A `Setting` names a world, how it slips, how skilled the policies are, and by which key states are
told apart; `sample` plays it and solves it exactly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grouping import Steps, with_history, with_visited
from .worlds import (
    REWARD,
    Table,
    Task,
    World,
    advantages,
    household,
    key_door,
    maze,
    occupancy,
    skilled_policy,
)

GAMMA = 0.95
TASKS = 16

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One column of the table."""

    world: str
    key: str
    """`state`, `over-fine`, `aliased` (the last feedback), or `history` (3, 2, 1 feedbacks)."""
    slip: float = 0.0
    skill: tuple[float, float] = (0.05, 0.55)
    """Range of the extra chance of the best action."""

    @property
    def name(self) -> str:
        """Short label."""
        slip = ", slip" if self.slip else ""
        skill = {(0.0, 0.1): ", random", (0.85, 0.97): ", near-deterministic"}.get(self.skill, "")
        return f"{self.world}, {self.key}{slip}{skill}"


WORLDS: Mapping[str, Callable[[np.random.Generator, float], World]] = {
    "household": household,
    "key-door": key_door,
    "maze": maze,
}
SETTINGS = (
    Setting(world="household", key="state"),
    Setting(world="household", key="history"),
    Setting(world="household", key="aliased"),
    Setting(world="household", key="state", slip=0.2),
    Setting(world="household", key="history", slip=0.2),
    Setting(world="household", key="over-fine"),
    Setting(world="household", key="state", skill=(0.0, 0.1)),
    Setting(world="household", key="state", skill=(0.85, 0.97)),
    Setting(world="key-door", key="state", skill=(0.2, 0.6)),
    Setting(world="key-door", key="history", slip=0.1, skill=(0.2, 0.6)),
    Setting(world="maze", key="state"),
    Setting(world="maze", key="history", slip=0.2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sampled trajectories with the truth about them."""

    tasks: tuple[Task, ...]
    steps: Steps
    task: Rows
    state: Rows
    action: Rows
    truth: Table
    """Exact advantage per row."""
    gradient: Table
    """Exact gradient of the expected return, (task, state, action)."""


def sample(setting: Setting, siblings: int, seed: int) -> Batch:
    """A batch of sibling trajectories under the setting's keys, and the truth about it."""
    draw = np.random.default_rng(seed)
    tasks: list[Task] = []
    for _ in range(TASKS):
        world = WORLDS[setting.world](draw, setting.slip)
        tasks.append(Task(world=world, policy=skilled_policy(draw, world, *setting.skill)))
    played = [_play(draw, task, siblings) for task in tasks]
    columns = {name: np.concatenate([part[name] for part in played]) for name in played[0]}
    sizes = [len(part["step"]) for part in played]
    task = np.repeat(np.arange(TASKS), sizes)
    truths = [advantages(t, GAMMA) for t in tasks]
    truth = np.array(
        [
            truths[g][t, s, a]
            for g, t, s, a in zip(
                task, columns["step"], columns["state"], columns["action"], strict=True
            )
        ]
    )
    gradient = np.stack(
        [np.einsum("ts,sa,tsa->sa", occupancy(t), t.policy, advantages(t, 1.0)) for t in tasks]
    )
    return Batch(
        tasks=tuple(tasks),
        steps=_keyed(setting.key, task, columns, siblings),
        task=task,
        state=columns["state"],
        action=columns["action"],
        truth=truth,
        gradient=gradient,
    )


def _play(draw: np.random.Generator, task: Task, siblings: int) -> dict[str, Any]:
    """Trajectories of one task, rows by sibling and time."""
    world = task.world
    state, seen = np.full(siblings, world.start), np.full(siblings, -1)
    alive = np.arange(siblings)
    parts: list[dict[str, Any]] = []
    for t in range(world.cap):
        here = state[alive]
        action = _choose(draw, task.policy[here])
        then = _choose(draw, world.moves[here, action])
        text = world.feedback[here, action, then]
        won = then == world.won
        parts.append(
            {
                "sibling": alive,
                "step": np.full(len(alive), t),
                "state": here,
                "seen": seen[alive],
                "action": action,
                "next_state": then,
                "next_seen": text,
                "won": won,
                "cut": ~won & (t == world.cap - 1),
            }
        )
        state[alive], seen[alive] = then, text
        alive = alive[~won]
        if len(alive) == 0:
            break
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["step"], columns["sibling"]))
    return {name: column[order] for name, column in columns.items()}


def _choose(draw: np.random.Generator, chances: Table) -> Rows:
    edges = np.cumsum(chances, axis=1)
    edges[:, -1] = 1.0
    return (draw.random((len(chances), 1)) > edges).sum(axis=1)


def _keyed(key: str, task: Rows, columns: Mapping[str, Any], siblings: int) -> Steps:
    name = "state" if key in ("state", "over-fine") else "seen"
    steps = Steps.of(
        task=task,
        trajectory=task * siblings + columns["sibling"],
        step=columns["step"],
        anchor=columns[name],
        next_anchor=columns[f"next_{name}"],
        action=columns["action"],
        reward=REWARD * columns["won"],
        terminated=columns["won"],
        truncated=columns["cut"],
        state_is_markov=key == "state",
    )
    if key == "history":
        return with_history(steps, 3)
    if key == "over-fine":
        fine, coarse = with_visited(steps).levels
        levels = (replace(fine, name="anchor"), replace(coarse, name="state"))
        return replace(steps, levels=levels)
    return steps

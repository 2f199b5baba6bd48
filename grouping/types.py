"""Records of play and of credit: `Turn`, `Trajectory`, `Group`, `Steps`, `Credit`.

A rollout makes turns, siblings of one task make a group, groups become columns (`Steps`, one row
per turn), an estimator turns columns into `Credit`, one number per row in the same row order.
Token ids are stored once per context row: a turn points at `rows[row][start:stop]` for what was
sampled and `rows[row][:start]` for what it was sampled after, so a later learner can share every
prefix without searching for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FloatRows = NDArray[np.float64]
IntRows = NDArray[np.int64]
BoolRows = NDArray[np.bool_]


class Stop(StrEnum):
    """Why an episode ended; the last three are failures and enter no statistic."""

    DONE = "DONE"
    TURN_LIMIT = "TURN_LIMIT"
    CONTEXT = "CONTEXT"
    TOKEN_LIMIT = "TOKEN_LIMIT"
    ENV_ERROR = "ENV_ERROR"
    ENGINE_ERROR = "ENGINE_ERROR"
    CANCELLED = "CANCELLED"

    @property
    def failed(self) -> bool:
        """Whether infrastructure, not the agent, ended the episode."""
        return self in (Stop.ENV_ERROR, Stop.ENGINE_ERROR, Stop.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One decision of the agent and what the world paid for it."""

    anchor: str
    """Names the state the decision was taken in; equal anchors are compared."""
    keys: tuple[str, ...]
    """Anchors from fine to coarse, nested; the estimator may back off along them."""
    state_key: str | None
    """The environment's canonical state, when it names one."""
    observation_key: str
    """Hash of the observation text."""
    action_key: str
    """What was done, as the environment understood it; equal keys are the same action."""
    row: int
    """Index into the trajectory's `rows`."""
    start: int
    """First sampled position in that row; the prompt is everything before it."""
    stop: int
    """One past the last sampled position."""
    logprobs: NDArray[np.float32]
    """Natural log of the probability each sampled token was drawn with, length `stop - start`."""
    weight_versions: tuple[tuple[str, int, int], ...]
    """Spans `(version, start, end)` over the sampled tokens."""
    finish_reason: str
    """`stop`, `length` or `abort`, as the engine said."""
    reward: float
    """The environment's reward for this action, without penalties."""
    terminated: bool
    truncated: bool
    valid: bool
    """The reply parsed into an action."""
    admissible: bool | None
    """The environment would accept the action; None where it cannot tell."""
    reason: str
    """`ok`, or why the reply was invalid."""
    observation: str
    """Text the agent saw before this turn; for the log."""
    text: str
    """Text the agent wrote; for the log."""
    action: str
    """Action sent to the environment, empty when the reply was invalid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One episode of one sibling."""

    task: str
    """The task's key; siblings share it."""
    index: int
    """Position among the siblings."""
    rows: tuple[NDArray[np.int32], ...]
    """Token ids of the contexts, one row in `append` mode, one per turn in `window` mode."""
    turns: tuple[Turn, ...]
    final_anchor: str | None
    """Anchor of the state after the last action; None when it was never seen."""
    stop: Stop
    cause: str = ""
    """What failed, when `stop` is a failure."""
    task_id: str = ""
    task_type: str = ""
    seed: int = 0
    """Seed of the task, for replay."""
    success: bool = False
    """The environment's own verdict (`info["won"]`)."""

    @property
    def episode_return(self) -> float:
        """Undiscounted sum of the environment's rewards."""
        return float(sum(turn.reward for turn in self.turns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The siblings of one task."""

    task: str
    trajectories: tuple[Trajectory, ...]
    """Episodes that count, in sibling order."""
    failures: tuple[Trajectory, ...] = ()
    """Episodes lost to infrastructure: kept for inspection, in no statistic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """One advantage per row, in the caller's row order."""

    advantage: FloatRows
    """What the learner multiplies with."""
    episode: FloatRows
    """Episode-level part A_E."""
    step: FloatRows
    """Step-level part A_S, before its weight omega."""
    returns: FloatRows
    """Discounted return to go R_it of the row (eq. 5), penalties included as configured."""
    step_group: IntRows
    """Smallest row index of the row's step group; -1 for padding."""
    report: Mapping[str, float]
    """Statistics under the names of the credit metrics."""
    parts: Mapping[str, FloatRows] = field(default_factory=dict[str, FloatRows])
    """Further quantities of the estimator per row, such as the values `V` of a graph estimator."""
    warnings: tuple[str, ...] = ()
    """Why this estimator may mislead on these rows; for a person to read."""

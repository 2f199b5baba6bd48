"""What a rollout is asked to do: its settings, who shares them, which episode is which."""

from dataclasses import dataclass
from typing import Literal

from ..envs.types import Task
from .anchors import AnchorKind
from .engine import Engine
from .prompt import Dialogue


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSpec:
    """How episodes are played."""

    siblings: int
    """Episodes per task."""
    max_action_tokens: int
    """Longest reply of one turn."""
    max_model_len: int
    """Longest prompt and reply together; the engine's own limit holds as well."""
    run_seed: int
    iteration: int = 0
    """Enters the seeds and the request ids."""
    temperature: float = 1.0
    greedy: bool = False
    context: Literal["append", "window"] = "append"
    """One growing context per episode, or the last `history` turns rendered again."""
    history: int = 2
    anchor: AnchorKind = "observation"
    """What names the state a decision was taken in."""
    env_deadline_s: float = 60.0
    """Longest wait for one answer of the environment."""
    generate_deadline_s: float = 120.0
    """Longest wait for one reply of the engine, retries included."""
    retries: int = 2
    """How often a reply is asked for again after a failure that may pass."""
    max_live: int | None = None
    """Episodes under way at once; None plays all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the episodes of a rollout share."""

    engine: Engine
    dialogue: Dialogue
    spec: RolloutSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which episode of the rollout one is."""

    task: Task
    key: str
    """The task's key."""
    group: int
    """Position of the task in the rollout."""
    sibling: int
    draw: int
    """Number of the sibling in the seeds; counts on where the same task comes again."""

"""The records every environment speaks: what it is, what to play, what it answered.

`EnvCard` describes a registered environment without importing it, `Task` names one initial
condition (siblings of a group share it), `Reply` is the only answer an environment gives, for
reset and step alike, in process and over HTTP. `Policy` is what plays: experts, scripts.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Options: TypeAlias = Mapping[str, JsonValue]
# json.dumps would build an encoder at every call.
_CANONICAL = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def digest(value: JsonValue) -> str:
    """Blake2b-128 (32 hex digits) of the compact ASCII JSON of a value."""
    text = _CANONICAL(value)
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvCard:
    """What is known about an environment before it is imported."""

    id: str
    """Versioned name handed to `make`, such as `ALFWorld-v0`."""
    version: str
    """Semantic version of the dynamics: a changed transcript is a changed version."""
    summary: str
    """One line for listings."""
    deterministic: bool = True
    """Same seed and same actions give the same episode, bit for bit."""
    state_is_markov: bool = True
    """Equal state keys have equal futures under equal actions."""
    success_reward: float | None = None
    """Return of a won episode, when there is one such number."""
    reward_range: tuple[float, float] = (float("-inf"), float("inf"))
    """Bounds of the reward of one step."""
    max_steps: int | None = None
    """Default turn limit, after which an episode is truncated."""
    agents: int = 1
    """Number of players."""
    needs: tuple[str, ...] = ()
    """Extras or data that must be installed before it runs."""
    caps: tuple[str, ...] = ()
    """Optional abilities: `state_key`, `admissible_actions`, `snapshot`, `fork`, `expert`."""
    splits: tuple[str, ...] = ()
    """Values of the option `split`, when the environment has it."""
    host_options: tuple[str, ...] = ()
    """Options that name files of the machine it runs on; a remote client may not set them."""
    isolated: bool = False
    """Unsafe beside other code, or slow to let it run: servers give it worker processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One initial condition; the episodes that siblings play."""

    env: str
    seed: int
    options: Options = field(default_factory=dict[str, JsonValue])
    """Reset options, such as `{"task": GAME_ID}`."""

    @property
    def key(self) -> str:
        """Stable name of the task: equal for equal content, in any process."""
        return digest([self.env, self.seed, dict(sorted(self.options.items()))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the environment answered to a reset or an action."""

    observation: str
    reward: float = 0.0
    terminated: bool = False
    """The task itself ended."""
    truncated: bool = False
    """A limit ended the episode."""
    state_key: str | None = None
    """Canonical hash of all that decides the future; None where the environment has none."""
    admissible_actions: tuple[str, ...] | None = None
    """Every command the environment would accept; None where it cannot list them."""
    info: Options = field(default_factory=dict[str, JsonValue])
    """JSON facts of the environment, such as `won`, `task_id`, `task_type`."""

    @property
    def observation_key(self) -> str:
        """Hash of the observation text alone, the anchor of the GiGPO paper."""
        return digest(self.observation)

    @property
    def done(self) -> bool:
        """The episode is over, for either reason."""
        return self.terminated or self.truncated


class Policy(Protocol):
    """Something that plays: an expert, a script."""

    def act(self, reply: Reply) -> str:
        """Choose the next action after seeing the environment's answer."""
        ...

"""Answers of the native batch protocol `gigym/1`.

Unknown fields are ignored, so that a newer server may say more; types are checked and numbers must
be finite, since a server need not be ours. Every result is either what was asked for or a
`Failed`, told apart by their fields.
"""

import math
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from .types import Reply
from .wire import JsonObject, Snapshot

Finite = Annotated[float, Field(allow_inf_nan=False)]


def _finite(facts: JsonObject) -> JsonObject:
    """Facts without numbers that JSON does not have, which parsers let through all the same."""
    if not facts:
        return facts
    level: list[JsonValue] = [*facts.values()]
    while level:
        value = level.pop()
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("numbers must be finite")
        if isinstance(value, list | dict):
            level.extend(value.values() if isinstance(value, dict) else value)
    return facts


Facts = Annotated[JsonObject, AfterValidator(_finite)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Fault(Answer):
    """Why a request or an item was refused."""

    code: str
    """One of `gigym.envs.wire.Code`; a newer server may use others."""
    message: str
    retryable: bool
    """The same request may be sent again."""
    detail: JsonObject = Field(default_factory=dict)


class FaultAnswer(Answer):
    """Answer to a refused request."""

    error: Fault


class Failed(Answer):
    """A refused item."""

    sid: str | None = None
    """Absent when the item was too broken to have one."""
    error: Fault


class ReplyBody(Answer):
    """What the environment said, to a reset, a step or a restore alike."""

    observation: str
    reward: Finite
    terminated: bool
    truncated: bool
    state_key: str | None = None
    observation_key: str | None = None
    admissible_actions: tuple[str, ...] | None = None
    info: Facts = Field(default_factory=dict)

    def to_reply(self) -> Reply:
        """The record that the rollout reads."""
        return Reply(
            observation=self.observation,
            reward=self.reward,
            terminated=self.terminated,
            truncated=self.truncated,
            state_key=self.state_key,
            admissible_actions=self.admissible_actions,
            info=self.info,
        )


class Played(Answer):
    """Where a session stands and what it answered."""

    sid: str
    ep: int
    """Resets applied to the session."""
    n: int
    """Steps applied in this episode."""
    reply: ReplyBody
    replayed: bool = False
    """The stored answer to a repeated request; the environment was not touched."""


class Leased(Answer):
    """A session and when it ends unless it is used."""

    sid: str
    lease_until: Finite
    """Unix time in seconds."""


class Frozen(Answer):
    """A snapshot."""

    sid: str
    snapshot: Snapshot


class Forked(Answer):
    """Copies of a session."""

    sid: str
    children: tuple[Leased, ...]


class Closed(Answer):
    """A session that is gone; closing twice is fine."""

    sid: str
    closed: bool


PlayResult: TypeAlias = Annotated[Played | Failed, Field(union_mode="left_to_right")]
LeaseResult: TypeAlias = Annotated[Leased | Failed, Field(union_mode="left_to_right")]
FrozenResult: TypeAlias = Annotated[Frozen | Failed, Field(union_mode="left_to_right")]
ForkResult: TypeAlias = Annotated[Forked | Failed, Field(union_mode="left_to_right")]
CloseResult: TypeAlias = Annotated[Closed | Failed, Field(union_mode="left_to_right")]


class SessionsAnswer(Answer):
    """Fresh sessions."""

    sessions: tuple[Leased, ...]


class PlayAnswer(Answer):
    """Results of resets, steps or restores, in the order of the items."""

    results: tuple[PlayResult, ...]


class LeaseAnswer(Answer):
    """Results of renewals, in the order of the items."""

    results: tuple[LeaseResult, ...]


class FrozenAnswer(Answer):
    """Results of snapshots, in the order of the items."""

    results: tuple[FrozenResult, ...]


class ForkAnswer(Answer):
    """Results of forks, in the order of the items."""

    results: tuple[ForkResult, ...]


class CloseAnswer(Answer):
    """Results of closings, in the order of the items."""

    results: tuple[CloseResult, ...]


class SessionAnswer(Answer):
    """One session, looked at."""

    sid: str
    env: str
    ep: int
    n: int
    state_key: str | None
    lease_until: Finite
    last: ReplyBody | None
    """The last answer; null before the first reset."""


class EnvInfo(Answer):
    """An environment on offer."""

    id: str
    version: str
    """Of the dynamics: equal versions give equal transcripts."""
    summary: str = ""
    caps: tuple[str, ...] = ()
    """Abilities: `state_key`, `admissible_actions`, `snapshot`, `fork`, `replay`, ..."""
    options: tuple[str, ...] = ()
    """Options that a client may set."""
    deterministic: bool | None = None
    """Same seed and same actions give the same episode; null where the server does not say."""
    state_is_markov: bool | None = None
    """Equal state keys have equal futures; null where the server does not say."""
    success_reward: Finite | None = None
    """Return of a won episode, when there is one such number."""
    reward_range: tuple[Finite | None, Finite | None] = (None, None)
    """Bounds of the reward of one step; null is unbounded."""
    max_steps: int | None = None
    """Turn limit under the host's options; null: none."""
    agents: int = 1
    """Number of players."""
    splits: tuple[str, ...] = ()
    """Values of the option `split`, when the environment has it."""
    num_tasks: int | None = None
    """Distinct tasks under the host's options, visited by seeds from 0 on; null: unlimited."""


class LimitsInfo(Answer):
    """What a client must keep to."""

    items: int
    """Items of one request."""
    body_bytes: int
    action_bytes: int
    observation_bytes: int
    sessions: int
    lease_s_max: float


class Info(Answer):
    """What a server is: the answer of `/v1/info`."""

    protocol: str
    minor: int
    server: str
    boot: str
    """Changes when the server restarts; sessions of another boot are gone."""
    auth: str
    """`bearer` or `none`."""
    envs: tuple[EnvInfo, ...]
    limits: LimitsInfo
    free: int = 0
    """Sessions that could be leased at this moment."""
    status: str = "ready"
    """As `/readyz` says it: `ready`, `starting`, `draining`, `full` or `failing` (workers)."""


class Health(Answer):
    """Whether the server runs, or may be given work."""

    status: str


class SocketAnswer(Answer):
    """One text frame of a server on `/v1/ws`: results in the order of the items, or an error."""

    id: int | None
    """Of the frame that is answered; null for one that had none to read."""
    draining: bool = False
    """The server is about to stop: sessions should be taken elsewhere."""
    results: tuple[JsonObject, ...] | None = None
    error: Fault | None = None

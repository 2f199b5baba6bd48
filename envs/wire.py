"""Requests of the native batch protocol `gigym/1`, as pydantic models for both ends.

Strict and closed: an unknown field or an inexact type is refused. An item that does not validate
arrives as a `BadItem`, so that its neighbours are still served. The answers are in
`wire_answers.py`; nothing here opens a socket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from .types import Reply

PROTOCOL = "gigym/1"
MINOR = 0
BOOT_HEADER = "X-Gigym-Boot"
KEY_HEADER = "Idempotency-Key"
DRAINING_HEADER = "X-Gigym-Draining"
"""On every answer of a server that is about to stop: sessions should be taken elsewhere."""
SOCKET_PATH = "/v1/ws"
PUBLIC_PATHS = frozenset({"/health", "/healthz", "/readyz", "/v1/info"})
"""Answered without a token."""


class Code(StrEnum):
    """Every error code of the protocol."""

    BAD_REQUEST = "BAD_REQUEST"
    BAD_ITEM = "BAD_ITEM"
    UNAUTHORIZED = "UNAUTHORIZED"
    UNKNOWN_ENV = "UNKNOWN_ENV"
    UNKNOWN_ROUTE = "UNKNOWN_ROUTE"
    SESSION_UNKNOWN = "SESSION_UNKNOWN"
    SESSION_EXPIRED = "SESSION_EXPIRED"
    STEP_INDEX = "STEP_INDEX"
    STEP_CONFLICT = "STEP_CONFLICT"
    EPISODE_OVER = "EPISODE_OVER"
    NOT_RESET = "NOT_RESET"
    TOO_LARGE = "TOO_LARGE"
    BUSY = "BUSY"
    TIMEOUT = "TIMEOUT"
    ENV_ERROR = "ENV_ERROR"
    WORKER_LOST = "WORKER_LOST"
    REPLAY_DIVERGED = "REPLAY_DIVERGED"
    DRAINING = "DRAINING"
    INTERNAL = "INTERNAL"


RETRYABLE = frozenset({Code.BUSY, Code.TIMEOUT, Code.DRAINING})
"""The same request may be sent again."""
SESSION_GONE = frozenset({Code.SESSION_UNKNOWN, Code.SESSION_EXPIRED, Code.WORKER_LOST})
"""The session must be rebuilt by replay."""


def replay_key(reply: Reply) -> str:
    """What a replay compares: the state key, or the observation's where there is none."""
    return reply.state_key if reply.state_key is not None else reply.observation_key


Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Count = Annotated[int, Field(ge=0, lt=2**53)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Sid = Annotated[str, Field(min_length=1, max_length=64)]
JsonObject = dict[str, JsonValue]


class Message(BaseModel):
    """Base of all requests: unknown fields and inexact types are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class SidItem(Message):
    """Names a session."""

    sid: Sid


class ResetItem(SidItem):
    """Start the episode after the `ep` that were started before."""

    ep: Count
    """Resets already applied to the session."""
    seed: Int64
    options: JsonObject = Field(default_factory=dict)
    """Options of this episode, such as `{"task": ID}`."""


class StepItem(SidItem):
    """Take one action."""

    ep: Count
    """Resets already applied to the session."""
    n: Count
    """Steps already applied in this episode."""
    action: str


class RenewItem(SidItem):
    """Keep a session for longer."""

    lease_s: Seconds | None = None
    """New length of the lease; unchanged when absent."""


class ForkItem(SidItem):
    """Make independent copies of a session."""

    count: Annotated[int, Field(ge=1, le=4096)]


class Recipe(Message):
    """How to come to a state: the beginning and every action since."""

    seed: Int64
    options: JsonObject = Field(default_factory=dict)
    actions: list[str] = Field(default_factory=list[str])
    keys: list[str | None] = Field(default_factory=list[str | None])
    """State keys seen at reset and after each action (observation keys where the environment has
    no state keys); null or an empty list checks nothing."""

    @model_validator(mode="after")
    def _one_key_per_reply(self) -> Self:
        if self.keys and len(self.keys) != len(self.actions) + 1:
            raise ValueError(
                f"keys must be one more than actions: got {len(self.keys)} keys "
                f"for {len(self.actions)} actions"
            )
        return self


class Snapshot(Message):
    """A frozen session; what `/v1/snapshot` answers and `/v1/restore` takes."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["data", "recipe"]
    """`data` is the environment's own state, `recipe` is replayed."""
    portable: bool = True
    """Whether another server of the same environment and version takes it."""
    env: str
    version: str
    state_key: str | None = None
    blob: str
    """JSON text."""


class RestoreItem(SidItem):
    """Bring a session to a state; counts as a reset."""

    ep: Count | None = None
    """Resets already applied; makes the item idempotent, as for a reset."""
    snapshot: Snapshot | None = None
    recipe: Recipe | None = None

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        if (self.snapshot is None) == (self.recipe is None):
            raise ValueError("give either snapshot or recipe")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class BadItem:
    """An item that did not validate."""

    sid: str | None
    message: str


ModelT = TypeVar("ModelT", bound=BaseModel)
_LONGEST_PLACE = 200
"""Characters of a path in a message; its field names came from the sender."""


def _isolated(kind: type[ModelT]) -> PlainValidator:
    """Validator that turns a bad item into a value."""
    adapter = TypeAdapter(kind)

    def read(value: object) -> ModelT | BadItem:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            sid = cast("dict[str, object]", value).get("sid") if isinstance(value, dict) else None
            return BadItem(sid=sid if isinstance(sid, str) else None, message=explain(error))

    return PlainValidator(read, json_schema_input_type=kind)


def explain(error: ValidationError) -> str:
    """First fault of a message and how many more there are; never repeats a value."""
    return explain_faults(error.errors(include_url=False, include_context=False))


def explain_faults(faults: Sequence[Mapping[str, Any]]) -> str:
    """As `explain`, for faults that a framework has listed."""
    place = ".".join(str(part) for part in faults[0]["loc"])[:_LONGEST_PLACE]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{place}: {faults[0]['msg']}{more}" if place else f"{faults[0]['msg']}{more}"


class SessionsRequest(Message):
    """Lease sessions of one environment."""

    env: str
    count: Annotated[int, Field(ge=1)] = 1
    lease_s: Seconds | None = None
    """How long an unused session is kept; the server's default when absent."""
    wait_s: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = 10.0
    """How long to queue when the server is full."""
    options: JsonObject = Field(default_factory=dict)
    """Options of the environment, over those the host set."""


class ResetRequest(Message):
    """Episodes to start."""

    items: list[Annotated[ResetItem | BadItem, _isolated(ResetItem)]]


class StepRequest(Message):
    """Actions to take."""

    items: list[Annotated[StepItem | BadItem, _isolated(StepItem)]]


class RestoreRequest(Message):
    """Sessions to bring to a state."""

    items: list[Annotated[RestoreItem | BadItem, _isolated(RestoreItem)]]


class ForkRequest(Message):
    """Sessions to copy."""

    items: list[Annotated[ForkItem | BadItem, _isolated(ForkItem)]]


class RenewRequest(Message):
    """Leases to renew."""

    items: list[Annotated[RenewItem | BadItem, _isolated(RenewItem)]]


class SidRequest(Message):
    """Sessions to snapshot or to close."""

    items: list[Annotated[SidItem | BadItem, _isolated(SidItem)]]


SocketCall = Literal["reset", "step", "restore", "snapshot", "renew", "close"]


class SocketFrame(Message):
    """One text frame of a client on `/v1/ws`; its items are those of the POST of that name."""

    id: Count
    """Named by the answer; answers come in any order."""
    call: SocketCall
    items: list[Any]

"""Messages of the OpenEnv protocol, as pydantic models: what comes in and what goes out.

Requests are strict, as OpenEnv's own are: an unknown field of an action or a frame is refused, and
so is a value of another type. The schemas that `/schema` publishes are those of these models.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from ...envs.wire import JsonObject, Message
from ...envs.wire_answers import Fault

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
EpisodeId = Annotated[str, Field(max_length=255)]


class Action(Message):
    """One command to the environment."""

    # Clients take a schema titled `Action` for that of any tool call.
    model_config = ConfigDict(title="Command")

    # The schema is shown to models, so that these descriptions are short.
    command: str
    """What to do, in words."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    """Of no effect."""

    @field_validator(
        "command",
        mode="before",
        json_schema_input_type=str | int | float | bool | None | list[JsonValue],
    )
    @classmethod
    def _as_text(cls, value: object) -> object:
        """A client that reads a model's reply as JSON makes a number of `3`: undo that."""
        kept = isinstance(value, str | dict)
        return cast("object", value) if kept else json.dumps(value, ensure_ascii=False)


class ResetBody(Message):
    """Start an episode. Keywords beyond these may be given: see `Opening`."""

    model_config = ConfigDict(extra="allow")

    seed: Seed | None = None
    """Same seed, same episode; drawn and told in the metadata when absent."""
    episode_id: EpisodeId | None = None
    """A name of the client's for the episode; `state` tells it again."""
    options: JsonObject | None = None
    """Options of the episode, such as `{"task": ID}`."""


class StepBody(Message):
    """Take one action in a fresh episode."""

    model_config = ConfigDict(extra="allow")

    action: Action
    seed: Seed | None = None
    """Of the fresh episode; drawn and told in the metadata when absent."""
    timeout_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Give up after so many seconds."""
    request_id: Annotated[str, Field(max_length=255)] | None = None
    """Taken, and of no effect."""


class ResetFrame(Message):
    """Socket: start an episode."""

    type: Literal["reset"]
    data: JsonObject = Field(default_factory=dict)
    """A `ResetBody`."""


class StepFrame(Message):
    """Socket: take one action."""

    type: Literal["step"]
    data: JsonObject
    """An `Action`."""


class BareFrame(Message):
    """Socket: `state` asks where the session stands, `close` ends it."""

    type: Literal["state", "close"]


class McpFrame(Message):
    """Socket: a JSON-RPC request."""

    type: Literal["mcp"]
    data: JsonObject


class Answer(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Metadata(Answer):
    """What the environment tells beside its text."""

    truncated: bool
    """A limit ended the episode, not the task itself."""
    state_key: str | None = None
    """Names the state; equal keys are equal states."""
    observation_key: str | None = None
    """Names the text."""
    info: JsonObject = Field(default_factory=dict)
    """The environment's own facts."""
    seed: int | None = None
    """Of an episode that begins."""
    ignored: list[str] | None = None
    """Keywords of a reset that this environment does not take."""


class Observation(Answer):
    """What the environment shows."""

    text: str
    admissible_actions: list[str] | None
    """Every command it would accept; null where it cannot list them."""
    metadata: Metadata


class State(Answer):
    """Where a session stands."""

    model_config = ConfigDict(extra="allow")

    episode_id: str | None
    step_count: Annotated[int, Field(ge=0)]
    session_id: str | None = None
    """What `/ws?session_id=` attaches to."""
    env: str | None = None


class Outcome(Answer):
    """Answer to a reset or a step."""

    observation: Observation
    reward: float | None
    """Null for a reset."""
    done: bool
    metadata: Metadata


class About(Answer):
    """Answer of `/metadata`."""

    name: str
    description: str
    readme_content: str | None = None
    version: str | None = None
    author: str | None = None
    documentation_url: str | None = None


class Schemas(Answer):
    """Answer of `/schema`: a JSON Schema for each kind of message."""

    action: JsonObject
    observation: JsonObject
    state: JsonObject
    reset_observation: JsonObject


class Problem(Answer):
    """One fault of a message."""

    type: str
    loc: list[str | int]
    """Path to the field."""
    msg: str
    input: JsonValue
    """What stood there, shortened."""


class Invalid(Answer):
    """Answer to a message that does not validate."""

    detail: list[Problem]


class Refusal(Answer):
    """Answer to a request that cannot be met."""

    detail: str | None = None
    """Absent where the request was refused before its route."""
    error: Fault | None = None


class ErrorCode(StrEnum):
    """Codes of error frames."""

    INVALID_JSON = "INVALID_JSON"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    CAPACITY_REACHED = "CAPACITY_REACHED"
    FACTORY_ERROR = "FACTORY_ERROR"
    SESSION_ERROR = "SESSION_ERROR"

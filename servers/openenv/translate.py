"""Between OpenEnv's messages and our records, without a session or a socket.

`read` validates, `opening_of` splits a reset into what our environments know, `outcome` dresses a
reply, `code_of` names an error. Faults of messages are raised as `Unreadable`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError

from ...envs.wire import SESSION_GONE, Code, JsonObject
from ...envs.wire_answers import ReplyBody
from ..errors import WireFault
from ..replies import encode
from .forms import ErrorCode, Metadata, Problem, ResetBody

ModelT = TypeVar("ModelT", bound=BaseModel)
_LONGEST_ECHO = 200
"""Characters of a refused value that are sent back."""
_ASKED_WRONGLY = frozenset({Code.BAD_ITEM, Code.BAD_REQUEST, Code.TOO_LARGE})


class Unreadable(ValueError):
    """A message that does not validate."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        first = self.problems[0]
        place = ".".join(map(str, first.loc))
        return f"{place}: {first.msg}" if place else first.msg


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A reset, as our environments understand it.

    The keyword `task` is an option of the episode, and so is everything in `options`. A keyword
    that sets the environment up (`split`) is refused: it would come too late. Any other is dropped,
    as OpenEnv's server drops what a reset does not take, and named in the metadata.
    """

    seed: int
    episode_id: str | None = None
    options: JsonObject = field(default_factory=dict[str, JsonValue])
    ignored: tuple[str, ...] = ()


def read(kind: type[ModelT], tree: object) -> ModelT:
    """A message of this kind. Raises `Unreadable`."""
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        raise Unreadable(problems_of(error.errors(include_url=False))) from None


def problems_of(faults: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Faults as pydantic and FastAPI list them, fit for an answer."""
    return [
        Problem(
            type=fault["type"],
            loc=[part if isinstance(part, int) else _shortened(part) for part in fault["loc"]],
            msg=_shortened(fault["msg"]),
            input=_echo(fault["input"]),
        )
        for fault in faults
    ]


def problem(msg: str, *loc: str | int, kind: str = "value_error") -> list[Problem]:
    """A fault found elsewhere, as the only one."""
    return [Problem(type=kind, loc=list(loc), msg=msg, input=None)]


def fault_problems(fault: WireFault) -> list[Problem]:
    """What an environment found wrong with a message, or raised over it."""
    kind = "value_error" if fault.code in _ASKED_WRONGLY else fault.code.lower()
    return problem(_clean(fault.message), kind=kind)


def problem_trees(problems: Sequence[Problem]) -> list[JsonValue]:
    """Problems as JSON."""
    return [cast("JsonValue", found.model_dump()) for found in problems]


def opening_of(body: ResetBody, env_id: str, set_up: Collection[str], drawn_seed: int) -> Opening:
    """What a reset asks for. Raises `Unreadable` for one of the keywords `set_up`."""
    options = dict(body.options or {})
    ignored: list[str] = []
    for name, value in (body.model_extra or {}).items():
        if name == "task":
            if value is not None:
                options["task"] = value
        elif name in set_up:
            message = (
                f"{name} sets {env_id} up and cannot change with a reset; its host sets it, with "
                f"gigym serve {env_id} {name}=..., or a session leased with that option is attached"
            )
            raise Unreadable(problem(message, name))
        else:
            ignored.append(name)
    return Opening(
        seed=drawn_seed if body.seed is None else body.seed,
        episode_id=body.episode_id,
        options=options,
        ignored=tuple(ignored),
    )


def outcome(reply: ReplyBody, opening: Opening | None = None) -> JsonObject:
    """The answer to a step, or to the reset that `opening` names."""
    metadata = Metadata(
        truncated=reply.truncated,
        state_key=reply.state_key,
        observation_key=reply.observation_key,
        info=reply.info,
        seed=opening.seed if opening else None,
        ignored=list(opening.ignored) if opening and opening.ignored else None,
    )
    told = metadata.model_dump()
    for name in ("seed", "ignored"):
        if told[name] is None:
            del told[name]
    listed = reply.admissible_actions
    return {
        "observation": {
            "text": reply.observation,
            "admissible_actions": None if listed is None else list(listed),
            "metadata": told,
        },
        "reward": None if opening else reply.reward,
        "done": reply.terminated or reply.truncated,
        "metadata": told,
    }


def code_of(fault: WireFault) -> ErrorCode:
    """The code of an error frame for what went wrong in a session."""
    if fault.code in SESSION_GONE:
        return ErrorCode.SESSION_ERROR
    if fault.code in _ASKED_WRONGLY:
        return ErrorCode.VALIDATION_ERROR
    return ErrorCode.EXECUTION_ERROR


def refused_at_door(fault: WireFault) -> ErrorCode:
    """The code of the error frame for a session that could not be leased."""
    if fault.code in (Code.BUSY, Code.DRAINING):
        return ErrorCode.CAPACITY_REACHED
    return ErrorCode.FACTORY_ERROR


def frame(kind: str, data: JsonValue) -> str:
    """Text of a frame to the client; ASCII, since messages quote what environments raised."""
    return encode({"type": kind, "data": data}).decode("ascii")


def _shortened(text: str) -> str:
    return _clean(text)[:_LONGEST_ECHO]


def _clean(text: str) -> str:
    """The text without halves of surrogate pairs, which pydantic does not write."""
    return text.encode("utf-8", "replace").decode()


def _echo(value: object) -> JsonValue:
    """A refused value, shortened where it is long; what is no JSON, as its name."""
    if isinstance(value, str):
        return _shortened(value)
    try:
        text = encode(cast("JsonValue", value)).decode("ascii")
    except (TypeError, ValueError):
        return type(value).__name__
    return cast("JsonValue", value) if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO]

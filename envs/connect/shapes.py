"""The texts in a foreign server's JSON: which field an action goes into, what a reply says.

Rules, in this order, both for what OpenEnv calls `observation`: the field that the user named; the
first of `TEXT_FIELDS` that holds a string; the whole as compact JSON. `metadata` of our own face
carries the state key and what else a `Reply` knows. Everything here is pure.
"""

import contextlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..errors import BadOption, ServerError
from ..types import JsonValue, Options, Reply, digest
from .target import Shape

TEXT_FIELDS = ("text", "message", "observation", "content", "prompt", "output")
LIST_FIELDS = (
    "admissible_actions",
    "admissible_commands",
    "available_actions",
    "available_commands",
    "valid_actions",
    "legal_actions",
)
_INFO_BYTES = 16 * 2**10
_LONGEST_TEXT = 256 * 2**10

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionForm:
    """How an action's text becomes an object."""

    field: str
    rest: Options

    def filled(self, text: str) -> Tree:
        """The object for a text."""
        return {**self.rest, self.field: text}


def action_form(schema: Mapping[str, Any], shape: Shape, url: str) -> ActionForm:
    """Where actions go. Raises `BadOption` when the schema leaves it open."""
    fields = cast("dict[str, Any]", schema.get("properties") or {})
    if shape.action_field is not None:
        if fields and shape.action_field not in fields:
            known = ", ".join(fields)
            raise BadOption(
                f"the actions of {url} have no field {shape.action_field!r}; they have: {known}"
            )
        return ActionForm(field=shape.action_field, rest=shape.action_rest)
    required = [str(name) for name in schema.get("required") or () if name not in shape.action_rest]
    if len(required) != 1 or not _is_text(fields.get(required[0])):
        told = json.dumps({"properties": fields, "required": required}, sort_keys=True)
        raise BadOption(
            f"the actions of {url} have not exactly one required text field; name the one that "
            f"takes the text by Shape(action_field=...), and the others by action_rest={{...}}. "
            f"Its schema: {told:.1000}"
        )
    return ActionForm(field=required[0], rest=shape.action_rest)


def read_reply(told: Tree, shape: Shape, url: str) -> Reply:
    """The reply in OpenEnv's `{"observation", "reward", "done", "metadata"}`.

    Raises `ServerError` for what is none.
    """
    seen, done = told.get("observation"), told.get("done", False)
    if not isinstance(seen, dict) or not isinstance(done, bool):
        raise broken(url, "an observation must be an object, and done a bool")
    observation = cast("Tree", seen)
    metadata: Tree = {}
    for found in (observation.get("metadata"), told.get("metadata")):
        metadata |= cast("Tree", found) if isinstance(found, dict) else {}
    truncated = done and metadata.get("truncated") is True
    text, key = text_of(observation, shape), metadata.get("state_key")
    facts = metadata.get("info") if _is_ours(metadata, text) else metadata
    return Reply(
        observation=text,
        reward=number(told.get("reward"), url),
        terminated=done and (metadata.get("terminated") is True or not truncated),
        truncated=truncated,
        state_key=key if isinstance(key, str) and _is_ours(metadata, text) else None,
        admissible_actions=choices(observation),
        info=small(cast("Tree", facts) if isinstance(facts, dict) else {}),
    )


def _is_ours(metadata: Tree, text: str) -> bool:
    """Whether a server names texts as we do: its state keys and facts are then ours as well."""
    return metadata.get("observation_key") == digest(text)


def text_of(observation: Tree, shape: Shape) -> str:
    """What the agent reads, by the rules of the module."""
    if shape.text_field is not None:
        found = observation.get(shape.text_field)
        return sound(found if isinstance(found, str) else compact(found))
    for name in TEXT_FIELDS:
        if isinstance(observation.get(name), str):
            return sound(observation[name])
    return sound(compact({name: part for name, part in observation.items() if name != "metadata"}))


def sound(text: str) -> str:
    """Text that UTF-8 can hold, cut where it is too long, with a marker that says by how much."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} [... {len(text) - _LONGEST_TEXT} characters cut]"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def choices(observation: Tree) -> tuple[str, ...] | None:
    """The actions that the environment would accept, where it lists them as texts."""
    for name in LIST_FIELDS:
        found = observation.get(name)
        if isinstance(found, list) and all(
            isinstance(one, str) for one in cast("list[Any]", found)
        ):
            texts = tuple(dict.fromkeys(sound(one) for one in cast("list[str]", found)))
            # Elsewhere an empty list is what a field holds that nobody filled.
            return texts if texts or name == LIST_FIELDS[0] else None
    return None


def number(value: object, url: str) -> float:
    """A reward; null is none paid. Raises `ServerError` for what is no finite number."""
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        with contextlib.suppress(OverflowError):
            if math.isfinite(value):
                return float(value)
    raise broken(url, f"a reward must be a finite number, got {value!r:.80}")


def small(facts: Tree) -> dict[str, JsonValue]:
    """Facts for a reply's info; without those that make it too long, or that UTF-8 cannot hold."""
    kept: dict[str, JsonValue] = {}
    left = _INFO_BYTES - 2
    for name, fact in facts.items():
        # Not encodable, not finite, or nested too deep: not for JSON, so not for us.
        with contextlib.suppress(ValueError, RecursionError):
            text = json.dumps({name: fact}, ensure_ascii=False, allow_nan=False)
            size = len(text.encode())
            if size <= left:
                kept[name] = fact
                left -= size
    return kept


def compact(value: object) -> str:
    """JSON without spaces, with its characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parsed(text: str | bytes) -> object:
    """What JSON says; None for what is none, such as NaN, or is nested beyond reason."""
    try:
        tree: object = json.loads(text, parse_constant=_no_constant)
        json.dumps(tree)
    except (ValueError, RecursionError):
        return None
    return tree


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def broken(url: str, why: str) -> ServerError:
    """The error for an answer that is against the protocol."""
    return ServerError(f"{url} broke the protocol of OpenEnv: {why}", "PROTOCOL")


def _is_text(field: object) -> bool:
    return isinstance(field, dict) and cast("Tree", field).get("type") == "string"

"""Versioned names for environments: `register`, `make`, `card`, `list_envs`, `missing`.

A name maps to a card and a lazy entry point `module:Class`, so that listing imports no
environment. Packages of users add theirs through the entry-point group `gigym.envs`: each entry
loads a function that calls `register`.

The class of a game for several agents is its single-agent view; two classmethods on it give all
seats: `parallel(*, ...)` a PettingZoo `ParallelEnv`, `aec(*, ...)` a PettingZoo `AECEnv`. Their
keyword parameters are the options of `make_parallel` and `make_aec`.
"""

import difflib
import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Callable
from types import UnionType
from typing import TYPE_CHECKING, Any, cast, get_args

from .errors import BadOption, UnknownEnv, Unsupported
from .needs import missing
from .types import EnvCard, JsonValue

if TYPE_CHECKING:
    from .base import TextEnv

__all__ = [
    "card",
    "list_envs",
    "make",
    "make_aec",
    "make_parallel",
    "missing",
    "option_names",
    "register",
]

_ENTRIES: dict[str, tuple[EnvCard, str]] = {}


def register(card: EnvCard, entry_point: str) -> None:
    """Name an environment. `entry_point` is `package.module:Class`, imported at first use.

    Raises `BadOption` when the id is taken by another entry point.
    """
    held = _ENTRIES.get(card.id)
    if held is not None and held[1] != entry_point:
        raise BadOption(f"environment id {card.id!r} is already registered by {held[1]}")
    _ENTRIES[card.id] = (card, entry_point)


def list_envs() -> tuple[EnvCard, ...]:
    """Cards of all registered environments, sorted by id."""
    _load_plugins()
    return tuple(card for _, (card, _) in sorted(_ENTRIES.items()))


def card(env_id: str) -> EnvCard:
    """The card of one environment. Raises `UnknownEnv` with the nearest name."""
    return _entry(env_id)[0]


def make(env_id: str, **options: JsonValue) -> "TextEnv":
    """Build an environment. Options are the keyword parameters of its class.

    Raises `UnknownEnv` for the name, `BadOption` for an option or value it does not take.
    """
    return _build(env_id, _load(env_id), options)


def make_parallel(env_id: str, **options: JsonValue) -> Any:  # noqa: ANN401
    """All seats of a game for several agents, as a PettingZoo `ParallelEnv`.

    Raises `Unsupported` for an environment of one agent, and what `make` raises.
    """
    return _build(env_id, _seats(env_id, "parallel"), options)


def make_aec(env_id: str, **options: JsonValue) -> Any:  # noqa: ANN401
    """All seats of a game for several agents, one after the other, as a PettingZoo `AECEnv`.

    Raises `Unsupported` for an environment of one agent, and what `make` raises.
    """
    return _build(env_id, _seats(env_id, "aec"), options)


def option_names(env_id: str) -> tuple[str, ...]:
    """Names of the options that `make` accepts for this environment."""
    return tuple(_parameters(_load(env_id)))


def _build(env_id: str, builder: Callable[..., Any], options: dict[str, JsonValue]) -> Any:  # noqa: ANN401
    known = _parameters(builder)
    for name, value in options.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise BadOption(f"{env_id} has no option {name!r}.{hint} It takes: {', '.join(known)}")
        if not _fits(value, known[name].annotation):
            kind = inspect.formatannotation(known[name].annotation)
            raise BadOption(f"{env_id}: option {name} must be {kind}, got {value!r:.80}")
    return builder(**options)


def _seats(env_id: str, form: str) -> Callable[..., Any]:
    found = getattr(_load(env_id), form, None)
    if found is None:
        raise Unsupported(
            f"{env_id} has one seat; make it with gigym.make({env_id!r}). "
            "Games for several agents are those with agents > 1 in: gigym list --json"
        )
    return found


def _parameters(builder: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    found = inspect.signature(builder).parameters
    return {n: p for n, p in found.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _fits(value: JsonValue, annotation: object) -> bool:
    """Whether a value is of an annotated type; what no instance check can tell is let through."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    types = tuple(kind for kind in kinds if isinstance(kind, type))
    if annotation is inspect.Parameter.empty or len(types) < len(kinds):
        return True
    if isinstance(value, bool):
        return bool in types
    return isinstance(value, types) or (isinstance(value, int) and float in types)


def _entry(env_id: str) -> tuple[EnvCard, str]:
    _load_plugins()
    if env_id not in _ENTRIES:
        near = difflib.get_close_matches(env_id, _ENTRIES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownEnv(f"no environment {env_id!r}; {hint}list them with: gigym list")
    return _ENTRIES[env_id]


def _load(env_id: str) -> "type[TextEnv]":
    module, _, name = _entry(env_id)[1].partition(":")
    return cast("type[TextEnv]", getattr(importlib.import_module(module), name))


@functools.cache
def _load_plugins() -> None:
    for entry in importlib.metadata.entry_points(group="gigym.envs"):
        entry.load()()

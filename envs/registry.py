"""Versioned names for environments: `register`, `make`, `card`, `list_envs`, `missing`.

A name maps to a card and a lazy entry point `module:Class`, so that listing imports no
environment. Packages of users add theirs through the entry-point group `gigym.envs`: each entry
loads a function that calls `register`. One that fails is named in a warning and leaves the others
alone. Every id is Gymnasium's as well (gymnasium_ids.py).

The class of a game for several agents is its single-agent view; a classmethod on it gives all
seats: `all_seats(form, *, ...)`, for the form `parallel` a PettingZoo `ParallelEnv`, for `aec` an
`AECEnv`. Its keyword parameters are the options of `make_parallel` and `make_aec`.
"""

import difflib
import functools
import importlib
import inspect
import threading
import warnings
from collections.abc import Callable
from types import UnionType
from typing import TYPE_CHECKING, Any, cast, get_args

from . import gymnasium_ids
from .errors import BadOption, BrokenPlugin, UnknownEnv, Unsupported, near
from .needs import missing
from .types import EnvCard, JsonValue, Options

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from .base import TextEnv

__all__ = [
    "card",
    "entry_point_of",
    "isolated",
    "list_envs",
    "make",
    "make_aec",
    "make_parallel",
    "missing",
    "option_names",
    "register",
]

_ENTRIES: dict[str, tuple[EnvCard, str]] = {}
_BROKEN: list[str] = []
"""What went wrong with each plug-in that could not be loaded."""
_LOADING = threading.RLock()
_BEGUN = threading.Event()
_LOADED = threading.Event()


def register(card: EnvCard, entry_point: str) -> None:
    """Name an environment. `entry_point` is `package.module:Class`, imported at first use.

    Raises `BadOption` when the id is taken by another entry point.
    """
    held = _ENTRIES.get(card.id)
    if held is not None and held[1] != entry_point:
        raise BadOption(f"environment id {card.id!r} is already registered by {held[1]}")
    _ENTRIES[card.id] = (card, entry_point)
    gymnasium_ids.offer(card)


def list_envs() -> tuple[EnvCard, ...]:
    """Cards of all registered environments, sorted by id."""
    load_plugins()
    return registered()


def registered() -> tuple[EnvCard, ...]:
    """Cards of the environments registered so far, plug-ins left aside."""
    return tuple(card for _, (card, _) in sorted(_ENTRIES.items()))


def card(env_id: str) -> EnvCard:
    """The card of one environment. Raises `UnknownEnv` with the nearest name."""
    return _entry(env_id)[0]


def entry_point_of(env_id: str) -> str:
    """Where the class of an environment is, as `register` was told."""
    return _entry(env_id)[1]


def make(env_id: str, **options: JsonValue) -> "TextEnv":
    """Build an environment. Options are the keyword parameters of its class.

    Raises `UnknownEnv` for the name, `BadOption` for an option or value it does not take.
    """
    env: TextEnv = _build(env_id, _load(env_id), options)
    env.spec = gymnasium_ids.spec_of(card(env_id), options)
    return env


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


def isolated(env_id: str, options: Options) -> bool:
    """Whether servers give it worker processes when built with these options."""
    decide = getattr(_load(env_id), "isolated_with", None)
    return card(env_id).isolated if decide is None else decide(options)


def _build(env_id: str, builder: Callable[..., Any], options: dict[str, JsonValue]) -> Any:  # noqa: ANN401
    known = _parameters(builder)
    for name, value in options.items():
        if name not in known:
            hint = near(name, known)
            raise BadOption(f"{env_id} has no option {name!r}.{hint} It takes: {', '.join(known)}")
        if not _fits(value, known[name].annotation):
            kind = inspect.formatannotation(known[name].annotation)
            raise BadOption(f"{env_id}: option {name} must be {kind}, got {value!r:.80}")
    return builder(**options)


def _seats(env_id: str, form: str) -> Callable[..., Any]:
    found = getattr(_load(env_id), "all_seats", None)
    if found is None:
        raise Unsupported(
            f"{env_id} has one seat; make it with gigym.make({env_id!r}). "
            "Games for several agents are those with agents > 1 in: gigym list --json"
        )
    return functools.partial(found, form)


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
    load_plugins()
    if env_id not in _ENTRIES:
        near = difflib.get_close_matches(env_id, _ENTRIES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        broken = "".join(f"; {why}" for why in _BROKEN)
        raise UnknownEnv(f"no environment {env_id!r}; {hint}list them with: gigym list{broken}")
    return _ENTRIES[env_id]


def _load(env_id: str) -> "type[TextEnv]":
    module, _, name = _entry(env_id)[1].partition(":")
    return cast("type[TextEnv]", getattr(importlib.import_module(module), name))


def load_plugins(*, wait: bool = True) -> None:
    """Have the plug-ins of installed packages register their environments, once per process.

    Without `wait`, nothing happens while another thread is at it.
    """
    if _LOADED.is_set() or not _LOADING.acquire(blocking=wait):
        return
    try:
        # Plug-ins look environments up as well, in the thread that is loading them.
        if _BEGUN.is_set():
            return
        _BEGUN.set()
        # Half of what `import gigym.envs` would cost.
        from importlib.metadata import entry_points

        broken = [_plug_in(entry) for entry in entry_points(group="gigym.envs")]
        _BROKEN.extend(why for why in broken if why)
        _LOADED.set()
    finally:
        _LOADING.release()
    for why in _BROKEN:
        warnings.warn(why, BrokenPlugin, stacklevel=3)


def _plug_in(entry: "EntryPoint") -> str:
    """What kept a plug-in from registering its environments; empty when nothing did."""
    try:
        entry.load()()
    except (Exception, SystemExit) as error:
        owner = f" of {entry.dist.name}" if entry.dist else ""
        cause = f"{type(error).__name__}: {error}"
        return f"the plug-in {entry.name!r}{owner} ({entry.value}) could not be loaded: {cause}"
    return ""

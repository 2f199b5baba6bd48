"""Who is checked: a source of fresh players whose seeds and actions are written down.

A check is given a `Subject` and yields a `Fault` for what it finds. It may raise `NotChecked`
where the environment lacks what the check is about.
"""

import contextlib
import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from ..base import TextEnv
from ..types import EnvCard, JsonValue, Options, Reply
from .walks import Walk, expert_walk, random_walk


class NotChecked(Exception):
    """The check does not apply, or cannot be made here; the text says why."""


class Player(Protocol):
    """What plays an episode, near or far."""

    def start(self, seed: int, options: Options | None = None) -> Reply:
        """Reset."""
        ...

    def answer(self, action: str) -> Reply:
        """Step."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Recorder:
    """A player that knows how it came where it is."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.seed: int | None = None
        self.options: Options = {}
        self.actions: list[str] = []

    @property
    def env(self) -> TextEnv:
        """The environment itself. Raises `NotChecked` for one behind a server."""
        if not isinstance(self.player, TextEnv):
            raise NotChecked("needs the environment in this process")
        return self.player

    def start(self, seed: int, options: Options | None = None) -> Reply:
        """Reset and forget what was before."""
        self.seed, self.options, self.actions = seed, dict(options or {}), []
        return self.player.start(seed, options)

    def answer(self, action: str) -> Reply:
        """Step."""
        self.actions.append(action)
        return self.player.answer(action)

    def play(self, walk: Walk) -> list[Reply]:
        """The replies to a walk's actions."""
        return [self.start(walk.seed), *(self.answer(action) for action in walk.actions)]

    def beside(self, player: Player) -> "Recorder":
        """Another player that stands where this one does."""
        twin = Recorder(player)
        twin.seed, twin.options, twin.actions = self.seed, self.options, list(self.actions)
        return twin


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a check saw, before it is a finding."""

    expected: str
    got: str
    by: Recorder | None = None
    doubt: bool = False
    """Worth a look, but not shown to be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a class can be imported from in another process."""

    module: str
    qualname: str
    file: str | None


@dataclass(kw_only=True)
class Subject:
    """See the module docstring."""

    name: str
    card: EnvCard
    build: Callable[..., Player]
    """A fresh player, with further options over the subject's own."""
    option_names: tuple[str, ...]
    seeds: Sequence[int]
    steps: int
    actions: tuple[str, ...] = ()
    """Actions worth trying beside the admissible ones."""
    options: Options = field(default_factory=dict[str, JsonValue])
    origin: Origin | None = None
    """None where other processes cannot import it."""
    remote: bool = False
    """It plays behind a server, with the limits of the wire."""
    made: list[Player] = field(default_factory=list[Player])
    """Players not yet given back."""
    last: Recorder | None = None
    """The player made last, for findings about errors that nobody expected."""

    @property
    def limits(self) -> bool:
        """Whether the turn limit can be set."""
        return "max_steps" in self.option_names

    def make(self, **options: JsonValue) -> Recorder:
        """A fresh player."""
        self.last = Recorder(self.build(**options))
        self.made.append(self.last.player)
        return self.last

    def release(self) -> None:
        """Give all players back; one that cannot be closed is found by a check."""
        while self.made:
            with contextlib.suppress(Exception):
                self.made.pop().close()

    def local(self) -> Recorder:
        """A fresh player in this process. Raises `NotChecked` where that cannot be."""
        recorder = self.make()
        _ = recorder.env
        return recorder

    @functools.cached_property
    def walks(self) -> tuple[Walk, ...]:
        """One walk for each seed, by an expert for the first where there is one."""
        experts = [expert_walk(self.make(), self.seeds[0], self.steps)] if self.seeds else []
        found = [walk for walk in experts if walk is not None]
        for seed in self.seeds:
            found.append(random_walk(self.make(), seed, self.steps, self.actions))
        return tuple(found)


Check: TypeAlias = Callable[[Subject], Iterator[Fault]]


def local_subject(
    target: type[TextEnv] | TextEnv,
    options: Options,
    **facts: Any,  # noqa: ANN401
) -> Subject:
    """A subject over a class or an instance."""
    kind = target if isinstance(target, type) else type(target)
    own: Mapping[str, Any] = {} if isinstance(target, type) else target.made_with
    held: dict[str, Any] = {**own, **options}

    def build(**more: Any) -> TextEnv:  # noqa: ANN401
        return kind(**{**held, **more})

    build_it: Callable[..., Player] = build
    origin: Origin | None = origin_of(kind)
    if not isinstance(target, type) and not _rebuilds(build):
        origin, build_it = None, functools.partial(_copied, target)
    return Subject(
        name=kind.card.id,
        card=kind.card,
        build=build_it,
        option_names=_keywords(kind),
        options=held,
        origin=origin,
        **facts,
    )


def origin_of(kind: type) -> Origin | None:
    """Where other processes find a class; None for one made inside a function."""
    if "<locals>" in kind.__qualname__:
        return None
    try:
        file = inspect.getsourcefile(kind)
    except (TypeError, OSError):
        file = None
    return Origin(module=kind.__module__, qualname=kind.__qualname__, file=file)


def _keywords(kind: type) -> tuple[str, ...]:
    found = inspect.signature(kind).parameters.values()
    return tuple(p.name for p in found if p.kind is inspect.Parameter.KEYWORD_ONLY)


def _rebuilds(build: Callable[[], TextEnv]) -> bool:
    try:
        build().close()
    except TypeError:
        return False
    return True


def _copied(env: TextEnv, **options: JsonValue) -> TextEnv:
    if options:
        raise NotChecked("the instance was not built by keyword options alone")
    return copy.deepcopy(env)

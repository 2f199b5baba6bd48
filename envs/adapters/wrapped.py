"""`wrap`: any Gymnasium environment of text, with gigym's contract around it.

    env = gigym.wrap(theirs, id="Theirs-v0", state_key=lambda env: env.unwrapped.board)
    env = gigym.wrap(lambda: Theirs(size=3), action_names=("left", "right"))
    env = gigym.wrap("games/cellar.z8")  # TextWorld's, with the extra alfworld

Observations are `str`; actions are `str`, or numbers of a `Discrete` space with a name each. A
snapshot is a recipe: the seed, the options and the actions so far, played again in a copy of the
environment and compared with what was seen. The state key is the caller's; without one there is
none, and the card says that states are not named.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import gymnasium
from gymnasium.spaces import Discrete, Text

from ..base import TextEnv
from ..errors import BadOption, EnvCodeError, Unsupported
from ..spaces import UnicodeText
from ..types import EnvCard, JsonValue, Options, Reply, digest
from .textworld_game import TextWorldGame, game_at

Theirs: TypeAlias = gymnasium.Env[Any, Any]
KeyFunction: TypeAlias = Callable[[Any], JsonValue]
"""From an environment to all that decides its future, as JSON data."""

_LISTS = ("admissible_actions", "admissible_commands", "available_actions")
"""Where an info may hold the possible actions."""
_OURS = (*_LISTS, "action_mask", "state_key", "observation_key")


class WrappedEnv(TextEnv):
    """A Gymnasium environment of text under gigym's contract; made by `wrap`."""

    names: tuple[str, ...] = ()
    """Names of the numbers of its action space; empty where actions are text."""

    def __init__(
        self,
        *,
        build: Callable[[], Theirs],
        key: KeyFunction | None = None,
        max_steps: int | None = None,
    ) -> None:
        super().__init__(max_steps=max_steps)
        self._build, self._key = build, key
        self._theirs = build()
        self._seed, self._options = 0, dict[str, JsonValue]()
        self._actions: list[str] = []
        self._seen = Reply(observation="")

    def begin(self, seed: int, options: Options) -> Reply:
        """Reset theirs with the seed and the options as they are."""
        self._seed, self._options, self._actions = seed, dict(options), []
        observation, info = self._theirs.reset(seed=seed, options=dict(options) or None)
        return self._reply(observation, info, Reply(observation=""))

    def act(self, action: str) -> Reply:
        """Step theirs; an action that it raises at is an invalid move, unless it listed it."""
        if self.names and action not in self.names:
            return self._refused(action)
        sent = self.names.index(action) if self.names else action
        try:
            observation, reward, terminated, truncated, info = self._theirs.step(sent)
        except Exception as error:
            if action in (self._seen.admissible_actions or ()):
                cause = f"{type(error).__name__}: {error}"
                raise EnvCodeError(f"{self.card.id} raised {cause} at {action!r:.80}") from error
            # A step that raised may have changed something on its way.
            if "snapshot" in self.card.caps:
                self.thaw(self.freeze())
            return self._refused(action, type(error).__name__)
        self._actions.append(action)
        ends = Reply(
            observation="",
            reward=float(reward),
            terminated=bool(terminated),
            truncated=bool(truncated),
        )
        return self._reply(observation, info, ends)

    def freeze(self) -> JsonValue:
        """The recipe of the state. Raises `Unsupported` where it would not lead here again."""
        if "snapshot" not in self.card.caps:
            raise Unsupported(
                f"{self.card.id} has no snapshots: its spec says that it is not deterministic"
            )
        actions = cast("list[JsonValue]", [*self._actions])
        seen = self._seen.observation_key
        return {"seed": self._seed, "options": self._options, "actions": actions, "seen": seen}

    def thaw(self, frozen: JsonValue) -> None:
        """Play a recipe in a copy. Raises `EnvCodeError` when the episode does not repeat."""
        match frozen:
            case {
                "seed": int(seed),
                "options": dict(options),
                "actions": list(actions),
                "seen": seen,
            }:
                pass
            case _:
                raise BadOption(f"no recipe of {self.card.id}: {frozen!r:.80}")
        self._theirs = self._build()
        self.begin(seed, options)
        for action in actions:
            self.act(str(action))
        if self._seen.observation_key != seen:
            raise EnvCodeError(
                f"{self.card.id} did not repeat its episode of seed {seed}: it is not "
                "deterministic, and its snapshots cannot be used"
            )

    def close(self) -> None:
        """Close theirs."""
        self._theirs.close()

    def _refused(self, action: str, raised: str = "") -> Reply:
        seen = self._seen
        text = f"Nothing happens: {action!r:.80} is no action here."
        return Reply(
            observation=text,
            state_key=seen.state_key,
            admissible_actions=seen.admissible_actions,
            info={**seen.info, "raised": raised} if raised else seen.info,
        )

    def _reply(self, observation: object, info: Mapping[str, Any], ends: Reply) -> Reply:
        if not isinstance(observation, str):
            kind = type(observation).__name__
            raise BadOption(f"{self.card.id}: wrap takes text observations, got {kind}")
        self._seen = Reply(
            observation=observation,
            reward=ends.reward,
            terminated=ends.terminated,
            truncated=ends.truncated,
            state_key=None if self._key is None else digest(self._key(self._theirs)),
            admissible_actions=_possible(self.names, info),
            info=_facts(info),
        )
        return self._seen


def wrap(
    env: Theirs | Callable[[], Theirs] | str | Path,
    *,
    id: str = "",
    state_key: KeyFunction | None = None,
    action_names: Sequence[str] = (),
    max_steps: int | None = None,
) -> WrappedEnv:
    """Put gigym's contract around an environment, what a function builds, or a TextWorld game.

    A path is a game file (`textworld_game.py`), whose states its facts name.
    It is reset once with seed 0, to see what its infos hold. Raises `BadOption` for observations
    or actions that are not text, and for names that do not fit its actions.
    """
    if isinstance(env, str | Path):
        path = Path(env)
        return wrap(
            partial(game_at, path),
            id=id or f"{path.stem}-v0",
            state_key=state_key or TextWorldGame.facts,
            action_names=action_names,
            max_steps=max_steps,
        )
    build = _Copies(cast("Theirs", env)) if isinstance(env, gymnasium.Env) else env
    first, names = build(), tuple(action_names)
    if build() is first:
        raise BadOption("the function given to wrap must build another environment at each call")
    name = id or (first.spec.id if first.spec else f"{type(first.unwrapped).__name__}-v0")
    _check_actions(name, first, names)
    observation, info = first.reset(seed=0)
    if not isinstance(observation, str):
        kind = type(observation).__name__
        raise BadOption(f"{name}: wrap takes text observations, its reset gave {kind}")
    able = {
        "state_key": state_key is not None,
        "admissible_actions": _possible(names, info) is not None,
    }

    class Wrapped(WrappedEnv):
        card = _card(name, first, tuple(cap for cap, there in able.items() if there))

    Wrapped.names = names
    return Wrapped(build=build, key=state_key, max_steps=max_steps)


def _card(name: str, env: Theirs, caps: tuple[str, ...]) -> EnvCard:
    spec = env.spec
    repeats = spec is None or not spec.nondeterministic
    return EnvCard(
        id=name,
        version="1.0.0",
        summary=f"{type(env.unwrapped).__name__}, wrapped",
        deterministic=repeats,
        state_is_markov="state_key" in caps,
        max_steps=spec.max_episode_steps if spec else None,
        caps=(*caps, "snapshot", "fork") if repeats else caps,
        isolated=isinstance(env.unwrapped, TextWorldGame),
    )


class _Copies:
    """Builds copies of an environment that was given as an instance."""

    def __init__(self, env: Theirs) -> None:
        self._env = env

    def __call__(self) -> Theirs:
        try:
            return copy.deepcopy(self._env)
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise BadOption(
                f"{self._env} cannot be copied ({cause}); give wrap a function that builds it"
            ) from None


def _check_actions(name: str, env: Theirs, names: tuple[str, ...]) -> None:
    space: Any = env.action_space
    if isinstance(space, Discrete):
        count, start = int(cast("Any", space).n), int(cast("Any", space).start)
        if len(set(names)) != count or len(names) != count:
            raise BadOption(
                f"{name} has {count} numbered actions: action_names must give each a name of "
                f"its own, got {names!r:.200}"
            )
        if start != 0:
            raise BadOption(f"{name}: wrap takes actions from 0 on, they start at {start}")
    elif names:
        raise BadOption(f"{name}: action_names are for Discrete actions, its space is {space}")
    elif not isinstance(space, Text | UnicodeText):
        raise BadOption(f"{name}: wrap takes text or named Discrete actions, got {space}")


def _possible(names: tuple[str, ...], info: Mapping[str, Any]) -> tuple[str, ...] | None:
    if names:
        mask = info.get("action_mask")
        return names if mask is None else tuple(n for n, m in zip(names, mask, strict=True) if m)
    for place in _LISTS:
        listed = info.get(place)
        if isinstance(listed, list | tuple):
            return tuple(str(action) for action in cast("Sequence[object]", listed))
    return None


def _facts(info: Mapping[str, Any]) -> dict[str, JsonValue]:
    """What of an info is JSON data, numpy's numbers as Python's."""
    facts: dict[str, JsonValue] = {}
    for name, value in info.items():
        plain = value.item() if hasattr(value, "item") and getattr(value, "size", 0) == 1 else value
        try:
            facts[str(name)] = json.loads(json.dumps(plain, allow_nan=False))
        except (TypeError, ValueError):
            continue
    return {name: value for name, value in facts.items() if name not in _OURS}

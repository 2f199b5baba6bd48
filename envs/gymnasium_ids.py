"""Gymnasium knows every id of ours, whichever package is imported first.

    gymnasium.make("gigym.envs:ALFWorld-v0", split="test")
    gymnasium.make_vec("gigym.envs:ALFWorld-v0", num_envs=4)

Gymnasium takes half a second to import, so `gigym.envs` does not load it. When Gymnasium is there
already, ids are registered at once; when it comes later, at the end of its import. An id that
Gymnasium holds for somebody else is left alone.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .types import EnvCard, JsonValue, Options

if TYPE_CHECKING:
    from gymnasium.envs.registration import EnvSpec
    from gymnasium.vector import VectorEnv

    from .base import TextEnv

_ROOT = "gymnasium"
_GROUND = {f"{__package__}.base": "TextEnv", f"{__package__}.spaces": "UnicodeText"}
"""What plug-ins build on: module -> the name that is there when it is loaded."""


def build(env_id: str, **options: JsonValue) -> "TextEnv":
    """What `gymnasium.make` calls for an id of ours."""
    from .registry import make

    return make(env_id, **options)


def build_vec(
    env_id: str,
    num_envs: int,
    max_episode_steps: int | None = None,
    **options: Any,  # noqa: ANN401
) -> "VectorEnv[Any, Any, Any]":
    """What `gymnasium.make_vec` calls; it takes the keywords of `gigym.make_vec` as well."""
    from .vector import make_vec

    if max_episode_steps is not None:
        options["max_steps"] = max_episode_steps
    return make_vec(env_id, num_envs, **options)


def spec_of(card: EnvCard, options: Options) -> "EnvSpec | None":
    """Gymnasium's spec of an environment made with these options; None for an id it refuses."""
    from gymnasium.envs.registration import EnvSpec
    from gymnasium.error import Error

    kwargs = {"env_id": card.id, **options}
    with contextlib.suppress(Error):
        return EnvSpec(**_facts(card), order_enforce=False, disable_env_checker=True, kwargs=kwargs)
    return None


def offer(card: EnvCard) -> None:
    """Register an id with Gymnasium, if Gymnasium is loaded."""
    if _ROOT not in sys.modules:
        return
    registration = importlib.import_module("gymnasium.envs.registration")
    error = importlib.import_module("gymnasium.error")
    if card.id not in registration.registry:
        # Gymnasium refuses some ids that we allow; those are reached by gigym.make alone.
        with contextlib.suppress(error.Error):
            registration.register(**_facts(card), kwargs={"env_id": card.id})


def watch() -> None:
    """Register all ids with Gymnasium, now or as soon as it is imported."""
    if _ROOT in sys.modules:
        settle()
    else:
        sys.meta_path.insert(0, _Watch())


def settle() -> None:
    """Offer all ids to Gymnasium, those of plug-ins too, unless it is too early for them.

    Gymnasium's first import may come from the very files that plug-ins build on; those call this
    again at their end.
    """
    from .registry import load_plugins, registered

    half_loaded = any(
        name in sys.modules and not hasattr(sys.modules[name], wanted)
        for name, wanted in _GROUND.items()
    )
    if half_loaded or _ROOT not in sys.modules:
        return
    # Somebody imports Gymnasium: what is wrong with a plug-in must not keep them from it.
    with contextlib.suppress(Exception):
        load_plugins(wait=False)
    for card in registered():
        offer(card)


class _Watch:
    """An import hook that waits for Gymnasium, and is gone once it came."""

    def __init__(self) -> None:
        self._looking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find Gymnasium as others would, with a word to us at the end of its import."""
        if name != _ROOT or self._looking:
            return None
        self._looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            self._listen(spec.loader)
        return spec

    def _listen(self, loader: Any) -> None:  # noqa: ANN401
        execute: Callable[[ModuleType], None] = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            with contextlib.suppress(ValueError):
                sys.meta_path.remove(self)
            settle()

        # The loader belongs to this one import, and keeps its type for those who look at it.
        loader.exec_module = exec_module


def _facts(card: EnvCard) -> dict[str, Any]:
    return {
        "id": card.id,
        "entry_point": f"{__name__}:build",
        "vector_entry_point": f"{__name__}:build_vec",
        "reward_threshold": card.success_reward,
        "nondeterministic": not card.deterministic,
    }

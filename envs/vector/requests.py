"""What callers hand to `reset` and `step`, checked and laid out one per environment."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import BadOption

_Given = Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None


def seeds_of(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    """One seed per environment; a single seed counts upwards."""
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, int | np.integer):
        return [_seed(int(seed) + i) for i in range(num_envs)]
    if len(seed) != num_envs:
        raise BadOption(f"expected one seed or {num_envs}, got {len(seed)}")
    return [None if one is None else _seed(one) for one in seed]


def mask_of(options: _Given, num_envs: int) -> NDArray[np.bool_]:
    """Which environments are reset."""
    given: object = options.get("reset_mask") if isinstance(options, Mapping) else None
    if given is None:
        return np.ones(num_envs, dtype=np.bool_)
    mask = np.asarray(given)
    if mask.shape != (num_envs,) or mask.dtype != np.bool_:
        raise BadOption(
            f"reset_mask must be {num_envs} booleans, got {mask.dtype} of shape {mask.shape}"
        )
    if not mask.any():
        raise BadOption("reset_mask picks no environment; leave it out to reset all of them")
    return mask


def options_of(options: _Given, num_envs: int) -> list[dict[str, Any]]:
    """One set of reset options per environment."""
    if options is None:
        return [{} for _ in range(num_envs)]
    if isinstance(options, Mapping):
        common = {key: value for key, value in options.items() if key != "reset_mask"}
        tasks: object = common.get("task")
        if not isinstance(tasks, list | tuple):
            return [dict(common) for _ in range(num_envs)]
        ids = _one_each(cast("Sequence[Any]", tasks), "task ids", num_envs)
        del common["task"]
        return [common if task is None else {**common, "task": task} for task in ids]
    return [dict(one or {}) for one in _one_each(options, "options", num_envs)]


def actions_of(actions: Sequence[str | None], num_envs: int) -> list[str | None]:
    """One action per environment."""
    if isinstance(actions, str):
        raise BadOption(f"expected {num_envs} actions, got one text {actions!r:.80}")
    texts = list(_one_each(actions, "actions", num_envs))
    for i, text in enumerate(texts):
        if not (text is None or isinstance(cast("object", text), str)):
            raise BadOption(f"environment {i}: an action must be a str or None, got {text!r:.80}")
    return [None if text is None else str(text) for text in texts]


def _one_each(given: Sequence[Any], what: str, num_envs: int) -> Sequence[Any]:
    if len(given) != num_envs:
        raise BadOption(f"expected {num_envs} {what}, one per environment, got {len(given)}")
    return given


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(cast("object", seed), int | np.integer) or seed < 0:
        raise BadOption(f"a seed must be a whole number of at least 0, got {seed!r:.80}")
    return int(seed)

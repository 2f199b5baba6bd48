"""What an environment's card says it needs, and whether that is installed.

A need is an extra of gigym (`webshop`), the name of a module, or a name that `register_need`
gave a test of its own, such as a data set that must be downloaded. Nothing is imported to see.
"""

import importlib.util
from collections.abc import Callable

from .types import EnvCard

_MODULES = {
    "alfworld": ("alfworld", "textworld"),
    "data": ("pyarrow",),
    "math": ("math_verify",),
    "multi": ("pettingzoo",),
    "reasoning": ("reasoning_gym",),
    "serve": ("fastapi", "uvicorn"),
    "textarena": ("textarena",),
    "webshop": ("bm25s", "Stemmer", "rapidfuzz"),
}
"""Extra -> the modules it brings."""

_TESTS: dict[str, Callable[[], bool]] = {}


def register_need(name: str, is_there: Callable[[], bool]) -> None:
    """Name something that cards may need, with a cheap test of whether it is there."""
    _TESTS[name] = is_there


def missing(card: EnvCard) -> tuple[str, ...]:
    """Those of the card's needs that are not there; empty when it can be made as it is."""
    return tuple(need for need in card.needs if not _is_there(need))


def install_line(needs: tuple[str, ...]) -> str:
    """How to get what is missing."""
    extras = [need for need in needs if need in _MODULES]
    lines = [f"pip install 'gigym[{','.join(extras)}]'"] if extras else []
    return "; ".join(lines + [f"install {need}" for need in needs if need not in _MODULES])


def _is_there(need: str) -> bool:
    if need in _TESTS:
        return _TESTS[need]()
    return all(_has_module(module) for module in _MODULES.get(need, (need,)))


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False

"""The engines that play a game: ours, and TextWorld itself (extra `alfworld`)."""

from collections.abc import Callable

from ..errors import BadOption, need
from .game import Game
from .sources import Held
from .world import Running, World

ENGINES = ("native", "textworld")

Opener = Callable[[Game, Callable[[], Held]], Running]
"""Starts a game; asks where its text is only if the engine reads it."""


def open_engine(engine: str) -> Opener:
    """What starts games in the engine of this name. Raises `BadOption`, `MissingExtra`."""
    if engine == "native":
        return lambda game, _: World(game)
    if engine != "textworld":
        known = " and ".join(ENGINES)
        raise BadOption(f"ALFWorld-v0 has the engines {known}, got engine={engine!r:.80}")
    for module in ("alfworld", "textworld"):
        need(module, "alfworld")
    from .reference import ReferenceEngine

    return ReferenceEngine()

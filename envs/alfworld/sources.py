"""Where games come from: a fixed set of official files, or the generator.

A source names the game of a seed and makes the game of a name. Parsed games are kept, so that the
siblings of a group share one; the caches belong to the process, not to an environment.
"""

from functools import lru_cache
from typing import Protocol

from ..errors import BadOption, GameFileError
from .difficulty import difficulty_named
from .game import Game, parse_problem
from .generator import SPLITS, generate, rebuild
from .pack import GameSet, read_games

_KEPT = 256
"""Games kept parsed by each cache; one takes about 0.13 MB."""


class Source(Protocol):
    """Names games by seed and makes them by name."""

    num_tasks: int | None
    """Number of games; None: without end."""

    def drawn(self, seed: int) -> Game:
        """The game of a seed."""
        ...

    def named(self, game_id: str) -> Game:
        """The game with this id. Raises `UnknownTask`."""
        ...


def open_source(games: str, split: str, difficulty: str) -> Source:
    """The source that an environment's options describe."""
    return FixedGames(read_games(games, split)) if games else EndlessGames(split, difficulty)


class FixedGames:
    """The games of a pack, folder or zip; seeds go round."""

    def __init__(self, games: GameSet) -> None:
        self.num_tasks: int | None = len(games)
        self._games = games

    def drawn(self, seed: int) -> Game:
        """Game number `seed`, counted round the set."""
        return self.named(self._games.ids[seed % len(self._games)])

    def named(self, game_id: str) -> Game:
        """The game with this id. Raises `UnknownTask`."""
        return _fixed(self._games, game_id)


class EndlessGames:
    """Generated games of one split and difficulty; every seed is another game."""

    def __init__(self, split: str, difficulty: str) -> None:
        difficulty_named(difficulty)
        if split not in SPLITS:
            raise BadOption(f"no split {split!r}; generated games have: {', '.join(SPLITS)}")
        self.num_tasks: int | None = None
        self._split, self._difficulty = split, difficulty

    def drawn(self, seed: int) -> Game:
        """The game that the generator draws from this seed."""
        return _drawn(seed, self._split, self._difficulty)

    def named(self, game_id: str) -> Game:
        """The game of any generated id, of whatever split and difficulty."""
        return _rebuilt(game_id)


@lru_cache(maxsize=_KEPT)
def _fixed(games: GameSet, game_id: str) -> Game:
    row = games.row(game_id)
    try:
        return parse_problem(row)
    except GameFileError as error:
        raise GameFileError(f"{games.name}: {error}") from None


@lru_cache(maxsize=_KEPT)
def _drawn(seed: int, split: str, difficulty: str) -> Game:
    return parse_problem(generate(seed, split=split, difficulty=difficulty))


@lru_cache(maxsize=_KEPT)
def _rebuilt(game_id: str) -> Game:
    return parse_problem(rebuild(game_id))

"""Where games come from: a fixed set of official files, or the generator.

A source names the game of a seed and makes the game of a name. Parsed games are kept, so that the
siblings of a group share one; the caches belong to the process, not to an environment.
"""

from functools import lru_cache
from pathlib import Path
from typing import Protocol

from ..download.places import OFFICIAL, official_games
from ..errors import BadOption, GameFileError
from .difficulty import difficulty_named
from .game import Game, parse_problem
from .generator import SPLITS, game_id, generate, rebuild
from .pack import OFFICIAL_SPLITS, GameSet, PackRow, read_games, splits_of

_KEPT = 1024
"""Games kept parsed by each cache: one for every session of a server, as they are by default. One
takes about 0.13 MB."""


Held = tuple[PackRow, Path | None]
"""A game's text with the pack, folder or zip that holds it; None for generated games."""


class Source(Protocol):
    """Names games by seed and makes them by name."""

    split: str | None
    """The part that seeds pick from; None where there are no parts."""

    def count(self, split: str | None) -> int | None:
        """Number of games of a part, None: without end. Raises `BadOption`."""
        ...

    def id_of(self, seed: int, split: str | None) -> str:
        """The id of the game that a seed picks from a part. Raises `BadOption`."""
        ...

    def drawn(self, seed: int) -> Game:
        """The game of a seed."""
        ...

    def named(self, game_id: str) -> Game:
        """The game with this id, of whatever part. Raises `UnknownTask`."""
        ...

    def held(self, game_id: str) -> Held:
        """The text that `named` parses, and where it is held. Raises `UnknownTask`."""
        ...


def open_source(games: str, split: str | None, difficulty: str) -> Source:
    """The source that an environment's options describe; `official` means the fetched games."""
    if games == OFFICIAL:
        games = str(official_games())
    return FixedGames(games, split) if games else EndlessGames(split or SPLITS[0], difficulty)


class FixedGames:
    """The games of a pack, folder or zip; seeds go round."""

    def __init__(self, path: str, split: str | None) -> None:
        """Without a split, `train` of a folder or zip that has it, else every game there is.

        A pack that holds one part of the release, or none, is played whole whatever `split` says.
        """
        self._path = path
        parts = splits_of(path)
        wanted = "train" if split is None and "train" in parts else split
        self._games = read_games(path, wanted or "")
        named = _named_splits(self._games)
        if wanted is None and "train" in named and path.endswith(".zip"):
            wanted = "train"
        self.split = named[0] if len(named) == 1 else wanted if named else None
        self._ids = _part(self._games, self.split)

    def count(self, split: str | None) -> int:
        """Number of games of a part. Raises `BadOption`."""
        return len(self._select(split))

    def id_of(self, seed: int, split: str | None) -> str:
        """The id of game number `seed`, counted round the part. Raises `BadOption`."""
        ids = self._select(split)
        return ids[seed % len(ids)]

    def drawn(self, seed: int) -> Game:
        """Game number `seed`, counted round the part."""
        return _fixed(self._games, self._ids[seed % len(self._ids)])

    def named(self, game_id: str) -> Game:
        """The game with this id, in whatever part of the folder. Raises `UnknownTask`."""
        return _fixed(self._holding(game_id), game_id)

    def held(self, game_id: str) -> Held:
        """The text of the game with this id. Raises `UnknownTask`."""
        games = self._holding(game_id)
        return games.row(game_id), Path(games.name)

    def _holding(self, game_id: str) -> GameSet:
        part = game_id.partition("/")[0]
        if game_id not in self._games and part in splits_of(self._path):
            return read_games(self._path, part)
        return self._games

    def _select(self, split: str | None) -> tuple[str, ...]:
        if split == self.split:
            return self._ids
        return _part(read_games(self._path, split or ""), split)


class EndlessGames:
    """Generated games of one split and difficulty; every seed is another game."""

    def __init__(self, split: str, difficulty: str) -> None:
        difficulty_named(difficulty)
        self.split: str | None = split
        self._difficulty = difficulty
        self.count(split)

    def count(self, split: str | None) -> None:
        """There is no end of them. Raises `BadOption` for a split that generated games lack."""
        if split not in SPLITS:
            raise BadOption(f"no split {split!r}; generated games have: {', '.join(SPLITS)}")

    def id_of(self, seed: int, split: str | None) -> str:
        """The id of the game that the generator draws from this seed. Raises `BadOption`."""
        return game_id(seed, split=split or SPLITS[0], difficulty=self._difficulty)

    def drawn(self, seed: int) -> Game:
        """The game that the generator draws from this seed."""
        return _drawn(seed, self.split or SPLITS[0], self._difficulty)

    def named(self, game_id: str) -> Game:
        """The game of any generated id, of whatever split and difficulty."""
        return _rebuilt(game_id)

    def held(self, game_id: str) -> Held:
        """The text of any generated game."""
        return rebuild(game_id), None


def _part(games: GameSet, split: str | None) -> tuple[str, ...]:
    """The ids that begin with the name of a part; all of a set whose ids name none."""
    parts = _named_splits(games)
    if split is None or not parts:
        return games.ids
    if split not in parts:
        raise BadOption(f"{games.name} has no split {split!r}; it has: {', '.join(parts)}")
    return tuple(name for name in games.ids if name.startswith(f"{split}/"))


def _named_splits(games: GameSet) -> tuple[str, ...]:
    """The official splits that ids begin with."""
    first = {name.partition("/")[0] for name in games.ids}
    return tuple(split for split in OFFICIAL_SPLITS if split in first)


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

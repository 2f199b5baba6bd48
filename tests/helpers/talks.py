"""Negotiations with chosen stakes, and moves that must be valid."""

from dataclasses import replace

from gigym.envs.games import Game, Negotiation
from gigym.envs.games.bargain import Stakes, Talks

VECTOR = Stakes(
    items=("book", "hat", "ball"), pool=(2, 1, 3), values=((3, 4, 0), (1, 2, 2)), first=0
)


def table(stakes: Stakes = VECTOR, rules: Negotiation | None = None) -> Game[Talks]:
    """A game with chosen stakes."""
    game = Game(rules or Negotiation())
    game.reset(0)
    game._position = replace(game.position, state=Talks(stakes=stakes))
    return game


def say(game: Game[Talks], *lines: str) -> Game[Talks]:
    """Moves of whoever is on turn, all of them valid."""
    for line in lines:
        assert game.act(game.current(), line).valid, line
    return game

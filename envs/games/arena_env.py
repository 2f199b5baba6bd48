"""`TextArenaEnv`: one seat of a game of TextArena, the others played at random."""

from typing import TYPE_CHECKING

from ..catalog import TEXT_ARENA
from ..errors import BadOption
from .arena import Bout, RandomTokens, wrap_textarena
from .views import Form, GameEnv

if TYPE_CHECKING:
    from .zoo import GameAEC, GameParallel


class TextArenaEnv(GameEnv[Bout]):
    """Any registered game of TextArena that runs offline."""

    card = TEXT_ARENA

    def __init__(
        self,
        *,
        game: str = "KuhnPoker-v0",
        players: int = 2,
        seat: int = 0,
        split: str = "train",
        num_tasks: int | None = None,
        max_steps: int | None = None,
    ) -> None:
        """`game` is an id of TextArena; some want 1 player, some more, and say so."""
        table = wrap_textarena(game, players, split=split)
        if not 0 <= seat < players:
            raise BadOption(f"seat must be between 0 and {players - 1}, got {seat}")
        agent = table.agents[seat]
        others = {name: RandomTokens() for name in table.agents if name != agent}
        super().__init__(
            table,
            agent,
            others,
            script=f"random/{game}/{players}",
            num_tasks=num_tasks,
            max_steps=max_steps,
        )

    @classmethod
    def all_seats(
        cls,
        form: Form,
        *,
        game: str = "KuhnPoker-v0",
        players: int = 2,
        split: str = "train",
        max_cycles: int | None = None,
        render_mode: str | None = None,
    ) -> "GameAEC[Bout] | GameParallel[Bout]":
        """All seats."""
        from .zoo import seated

        env = cls(game=game, players=players, split=split)
        return seated(env.game, form, max_cycles=max_cycles, render_mode=render_mode)

"""`World`: one running game, exactly as TextWorld 1.7 plays the games of alfworld 0.4.

Text in, text out; `admissible` lists what is accepted, `won` is judged anew after every action
and is not sticky: taking the object away again loses the goal. There is no turn limit and no
end here; those belong to the environment (env.py).
"""

from typing import Protocol

from ..types import JsonValue
from .commands import deeds
from .effects import ACTIONS, intro
from .game import Deed, Game
from .state import State
from .text import NOTHING_HAPPENS


class Running(Protocol):
    """A game being played, by the native engine or by another one."""

    @property
    def game(self) -> Game:
        """What no action changes."""
        ...

    @property
    def won(self) -> bool:
        """Whether the goal holds."""
        ...

    def intro(self) -> str:
        """The text of a reset: what is in sight, and the task."""
        ...

    def admissible(self) -> tuple[str, ...]:
        """Every command that is accepted, sorted."""
        ...

    def apply(self, command: str) -> str:
        """Do what the command says and answer the text; an unknown one changes nothing."""
        ...

    def state_key(self) -> str:
        """Equal for states of the game that have equal futures, whichever engine plays."""
        ...

    def freeze(self) -> JsonValue:
        """The state as JSON data, for `thaw` in a world of the same game and engine."""
        ...

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a frozen state. Raises `BadOption` for what is none of this game."""
        ...

    def mirror(self) -> "World":
        """A native world in the same state."""
        ...


class World:
    """A game and its present state."""

    __slots__ = ("_admissible", "_deeds", "_key", "game", "state", "won")

    def __init__(self, game: Game) -> None:
        self.game = game
        self.state = State(game)
        self._forget()
        self.won = game.goal.holds(self.state.rows)

    def intro(self) -> str:
        """The text of a reset: what is in sight, and the task."""
        return intro(self.game, self.state)

    def deeds(self) -> dict[str, Deed]:
        """What each admissible command means."""
        if self._deeds is None:
            self._deeds = deeds(self.game, self.state)
        return self._deeds

    def admissible(self) -> tuple[str, ...]:
        """Every command that is accepted, sorted."""
        if self._admissible is None:
            self._admissible = tuple(sorted(self.deeds()))
        return self._admissible

    def apply(self, command: str) -> str:
        """Do what the command says and answer the text; an unknown one changes nothing."""
        deed = self.deeds().get(command.strip())
        if deed is None:
            return NOTHING_HAPPENS
        verb, thing, receptacle = deed
        action = ACTIONS[verb]
        answer = action.apply(self.game, self.state, thing, receptacle)
        if action.touches:
            self._forget()
            if not self.game.goal.watched.isdisjoint(action.touches):
                self.won = self.game.goal.holds(self.state.rows)
        return answer

    def state_key(self) -> str:
        """Equal for states of the game that have equal futures."""
        if self._key is None:
            self._key = self.state.key(self.game.id)
        return self._key

    def freeze(self) -> JsonValue:
        """The state as JSON data, for `thaw` in a world of the same game."""
        return self.state.freeze()

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a frozen state. Raises `BadOption` for what is none of this game."""
        self.state.thaw(frozen, self.game.names)
        self._forget()
        self.won = self.game.goal.holds(self.state.rows)

    def mirror(self) -> "World":
        """Itself."""
        return self

    def _forget(self) -> None:
        self._deeds: dict[str, Deed] | None = None
        self._admissible: tuple[str, ...] | None = None
        self._key: str | None = None

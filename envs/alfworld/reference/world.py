"""`ReferenceWorld`: one running game of TextWorld itself, behind the names of the native `World`.

Texts, commands and verdicts are the engine's. The state key is the hash of the engine's own
facts; nothing of the native engine plays beside it.
"""

from collections.abc import Callable, Mapping
from typing import cast

from ...errors import BadOption
from ...types import JsonValue
from ..game import Game
from ..pddl import Row
from ..sources import Held
from ..state import KEYED, State
from ..world import World
from .files import GameText, game_text
from .session import Lease, Session


class ReferenceEngine:
    """Starts games in TextWorld, whose process lasts as long as an engine or a game does."""

    def __init__(self) -> None:
        self._lease = Lease()

    def __call__(self, game: Game, held: Callable[[], Held]) -> "ReferenceWorld":
        """The game at its reset; its text is read where it is held."""
        return ReferenceWorld(game, game_text(*held()))


class ReferenceWorld:
    """A game and its present state, in the engine's process."""

    __slots__ = ("_key", "_session", "_text", "game")

    def __init__(self, game: Game, text: GameText) -> None:
        """A game and its text for the engine.

        It starts when something is asked of it first, which raises `GameFileError` for a game
        that the engine refuses and `EngineFailed` when the engine fails.
        """
        self.game = game
        self._text = text
        self._session: Session | None = None
        self._key: str | None = None

    @property
    def won(self) -> bool:
        """Whether the goal holds."""
        return self._live().seen.won

    def intro(self) -> str:
        """The text of the reset; before the first command only."""
        return self._live().seen.text

    def admissible(self) -> tuple[str, ...]:
        """Every command that is accepted, sorted."""
        return self._live().seen.admissible

    def apply(self, command: str) -> str:
        """Do what the command says and answer the text; an unknown one changes nothing."""
        self._key = None
        return self._live().step(command).text

    def state_key(self) -> str:
        """Equal to the key of the native engine in the same state."""
        if self._key is None:
            self._key = self._state().key(self.game.id)
        return self._key

    def freeze(self) -> JsonValue:
        """The commands that lead here, and where they lead."""
        return {"commands": [*self._live().commands], "key": self.state_key()}

    def thaw(self, frozen: JsonValue) -> None:
        """Play the commands of a frozen game. Raises `BadOption` when they lead elsewhere."""
        tree = frozen if isinstance(frozen, dict) else {}
        commands, key = tree.get("commands"), tree.get("key")
        if not isinstance(commands, list) or not all(isinstance(c, str) for c in commands):
            raise BadOption(
                "not a frozen game of the engine 'textworld'; a snapshot is restored by the engine "
                "that made it"
            )
        before = self._session, self._key
        self._session, self._key = Session(self._text, tuple(cast("list[str]", commands))), None
        if self.state_key() != key:
            self._session, self._key = before
            raise BadOption("the commands of the frozen game lead to another state than they did")

    def mirror(self) -> World:
        """A native world in the same state, for the expert."""
        world = World(self.game)
        world.thaw(self._frozen())
        return world

    def _live(self) -> Session:
        if self._session is None:
            self._session = Session(self._text)
        return self._session

    def _state(self) -> State:
        state = State(self.game)
        state.thaw(self._frozen(), self.game.names)
        return state

    def _frozen(self) -> dict[str, JsonValue]:
        facts = self._live().seen.facts
        frozen: dict[str, JsonValue] = {name: _rows(facts, name) for name in KEYED}
        held = [row[1] for row in facts["holds"]]
        frozen["removed"] = _rows(facts, "not_inreceptacle")
        frozen["place"] = facts["atlocation"][0][1]
        frozen["hold"] = held[0] if held else None
        return frozen


def _rows(facts: Mapping[str, list[list[str]]], predicate: str) -> list[JsonValue]:
    rows: list[Row] = [tuple(row) for row in facts[predicate]]
    return [row[0] if len(row) == 1 else [*row] for row in rows]

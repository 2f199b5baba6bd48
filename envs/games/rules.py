"""`Rules`: what an author of a game writes, pure functions over frozen states.

Rules say who moves, what a line of text does, what a seat may know (`sight`) and what the end
pays. All that a seat is told comes out of its `sight`, so that nothing private of another seat
can reach it. A move is refused as a whole or done as a whole.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from ..types import JsonValue

S = TypeVar("S")
Sight = dict[str, JsonValue]
SPLITS = ("train", "dev", "test")
WAIT = "wait"
"""The command of a seat that is not on turn, where all seats act at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Generic[S]):
    """A move that was made."""

    state: S
    lines: tuple[str, ...] = ()
    """What every seat hears of it."""
    valid: bool = True
    """False where the game itself took the move as an invalid one, and goes on its own way."""
    forfeit: bool = False
    """The move broke a rule that costs its maker the game."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A move that the rules do not allow; nothing changed."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The referee's answer to a move, for the one who made it."""

    valid: bool
    message: str


class Rules(ABC, Generic[S]):
    """One game: pure functions of its frozen states and of the options it was built with."""

    id: str
    """Names the game in keys and messages."""
    key_counts_strikes: bool = True
    """Invalid moves in a row belong to the state, since they decide when it is forfeited."""
    agents: tuple[str, ...] = ("agent_0", "agent_1")

    def detached(self) -> Self:
        """Rules for a copy of a game that may run in another thread; these, unless they cache."""
        return self

    @abstractmethod
    def deal(self, task: str) -> S:
        """The first state of a task."""

    @abstractmethod
    def movers(self, state: S) -> tuple[str, ...]:
        """Seats whose move is awaited, in order; none: the game is over."""

    @abstractmethod
    def move(self, state: S, agent: str, text: str) -> Moved[S] | Refused:
        """What a line of text of a seat on turn does; any text is answered."""

    @abstractmethod
    def legal(self, state: S, agent: str) -> tuple[str, ...]:
        """Templates of the commands that a seat on turn has."""

    @abstractmethod
    def commands(self, state: S, agent: str) -> tuple[str, ...] | None:
        """The commands themselves, of very many the seat's best; None: they cannot be listed."""

    @abstractmethod
    def sight(self, state: S, agent: str) -> Sight:
        """What a seat knows, without free text; scripted policies play from it."""

    @abstractmethod
    def key(self, state: S, agent: str | None) -> JsonValue:
        """What names the state to a seat; None: the whole state."""

    @abstractmethod
    def intro(self, sight: Sight, agent: str) -> str:
        """The rules, as told to a seat, with all that stays as it is during a game."""

    @abstractmethod
    def status(self, sight: Sight, agent: str) -> str:
        """Where the game stands."""

    def farewell(self, sight: Sight, agent: str) -> str:
        """A last word to a seat once the game is over; may be empty."""
        return ""

    @abstractmethod
    def rewards(self, state: S, forfeits: tuple[str, ...]) -> dict[str, float]:
        """What each seat is paid at the end."""

    @abstractmethod
    def outcome(self, state: S, forfeits: tuple[str, ...], agent: str) -> Sight:
        """Facts of a game that is over, `won` among them."""

    @abstractmethod
    def freeze(self, state: S) -> JsonValue:
        """The state as JSON data."""

    @abstractmethod
    def thaw(self, frozen: JsonValue) -> S:
        """The state again. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position(Generic[S]):
    """A running game as a value."""

    task: str
    state: S
    log: tuple[str, ...] = ()
    """What every seat heard, oldest first."""
    strikes: tuple[int, ...]
    """Invalid moves in a row, per seat."""
    invalid: tuple[int, ...]
    """Invalid moves in all, per seat."""
    forfeits: tuple[str, ...] = ()


def listed(value: JsonValue) -> list[JsonValue]:
    """A list of a sight."""
    assert isinstance(value, list)
    return value


def numbers(value: JsonValue) -> tuple[int, ...]:
    """The whole numbers of a sight's list."""
    return tuple(int(number) for number in listed(value) if isinstance(number, int))


def strings(value: JsonValue) -> tuple[str, ...]:
    """The texts of a sight's list."""
    return tuple(str(text) for text in listed(value))

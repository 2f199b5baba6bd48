"""Games of TextArena (extra `textarena`) as `Rules`, so that everything here plays them.

    game = wrap_textarena("KuhnPoker-v0")
    env = gigym.make("TextArena-v0", game="KuhnPoker-v0")

The only file that imports textarena. Its games seed and draw from the global generators of
`random` and numpy: each game keeps states of its own, lent to the globals under a lock while it
runs and taken back afterwards, so that neither other games nor the caller's draws are touched. A
state is the list of moves so far; the running game is a cache of it, replayed where need be.
"""

import copy
import importlib
import random
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np

from ..errors import BadOption, EnvCodeError, MissingExtra, near, need
from ..types import JsonValue, Reply
from .game import Game
from .rules import Moved, Refused, Rules, Sight

MAX_ACTION = 2_048
"""Characters of an action that reach the game."""
MAX_MOVES = 1_000
"""Moves after which a game that does not end by itself is cut."""

_GLOBAL = threading.RLock()
_TOKEN = re.compile(r"\[[^\[\]\n]{1,60}\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bout:
    """The state of a game: its seed, and the moves so far."""

    seed: int
    moves: tuple[str, ...] = ()


class Live:
    """A running game with generators of its own."""

    def __init__(self, game: str, players: int, seed: int) -> None:
        self._random = random.Random(seed).getstate()
        self._numpy = np.random.RandomState(seed % 2**32).get_state()
        self.texts = [""] * players
        """What each player has been shown."""
        self.cuts = [0] * players
        """How much of it there was at the player's last move."""
        self.rewards: dict[int, float] = {}
        self.facts: dict[int, dict[str, Any]] = {}
        self.done = False
        self.error = ""
        with self._lent():
            self._env = _started(game, players, seed)
            self._look()

    def step(self, action: str) -> bool:
        """Make a move of the current player; False if the game took it as an invalid one."""
        errors = self._errors()
        player = self.player
        self.cuts[player] = len(self.texts[player])
        with self._lent():
            try:
                self.done = bool(self._env.step(action)[0])
                self._look()
            except Exception as error:  # a game's own fault becomes the end of the game
                self.done, self.error = True, f"{type(error).__name__}: {error}"
            if self.done and not self.error:
                paid, facts = cast("tuple[dict[int, float] | None, Any]", self._env.close())
                self.facts = cast("dict[int, dict[str, Any]]", facts or {})
                self.rewards = {int(who): float(got) for who, got in (paid or {}).items()}
        return not (self._errors() > errors or self._flagged(player))

    def _look(self) -> None:
        if not self.done:
            player, text = self._env.get_observation()
            self.player, self.texts[int(player)] = int(player), str(text)
            return
        inner = self._env.state
        for player in range(len(self.texts)):
            inner.current_player_id = player
            self.texts[player] = str(self._env.get_observation()[1])

    def _errors(self) -> int:
        return int(getattr(self._env.state, "error_count", 0))

    def _flagged(self, player: int) -> bool:
        return bool(self.facts.get(player, {}).get("invalid_move"))

    @contextmanager
    def _lent(self) -> Generator[None]:
        with _GLOBAL:
            held, numpy_held = random.getstate(), np.random.get_state()
            random.setstate(self._random)
            np.random.set_state(self._numpy)
            try:
                yield
            finally:
                self._random, self._numpy = random.getstate(), np.random.get_state()
                random.setstate(held)
                np.random.set_state(numpy_held)


class TextArena(Rules[Bout]):
    """One game of TextArena, with seats `player_0`, `player_1`, ..."""

    key_counts_strikes = False

    def __init__(self, game: str = "KuhnPoker-v0", players: int = 2) -> None:
        """Raises `MissingExtra` without textarena or without data the game wants."""
        need("textarena", "textarena")
        if not 1 <= players <= 20:
            raise BadOption(f"players must be between 1 and 20, got {players}")
        _known(game)
        self.game = game
        self.id = f"TextArena-v0/{game}"
        self.agents = tuple(f"player_{number}" for number in range(players))
        self._cached: tuple[Bout, Live] | None = None

    def detached(self) -> Self:
        """The same game without the cached one, which a copy will replay."""
        twin = copy.copy(self)
        twin._cached = None
        return twin

    def deal(self, task: str) -> Bout:
        """The seed of the task."""
        return Bout(seed=random.Random(f"textarena/{self.game}/{task}").getrandbits(31))

    def movers(self, state: Bout) -> tuple[str, ...]:
        """The player that TextArena asks."""
        live = self._live(state)
        over = live.done or len(state.moves) >= MAX_MOVES
        return () if over else (self.agents[live.player],)

    def move(self, state: Bout, agent: str, text: str) -> Moved[Bout] | Refused:
        """Hand the text to the game, which judges it."""
        action = text.encode("utf-8", "replace").decode("utf-8")[:MAX_ACTION]
        live = self._live(state)
        self._cached = None
        valid = live.step(action)
        after = replace(state, moves=(*state.moves, action))
        self._cached = (after, live)
        return Moved(state=after, valid=valid)

    def legal(self, state: Bout, agent: str) -> tuple[str, ...]:
        """TextArena lists no commands; its texts tell them."""
        return ("<text>",)

    def commands(self, state: Bout, agent: str) -> None:
        """They cannot be listed."""

    def sight(self, state: Bout, agent: str) -> Sight:
        """All that TextArena showed the seat, and where what is new begins."""
        live, seat = self._live(state), self.agents.index(agent)
        return {"text": live.texts[seat], "cut": live.cuts[seat]}

    def key(self, state: Bout, agent: str | None) -> JsonValue:
        """A seat's text; of the whole state the seed and the moves."""
        if agent is None:
            return [state.seed, list(state.moves)]
        sight = self.sight(state, agent)
        return [agent, agent in self.movers(state), sight["text"]]

    def intro(self, sight: Sight, agent: str) -> str:
        """What the seat was shown before its last move."""
        return str(sight["text"])[: _whole(sight["cut"])].strip()

    def status(self, sight: Sight, agent: str) -> str:
        """What it was shown since."""
        return str(sight["text"])[_whole(sight["cut"]) :].strip()

    def rewards(self, state: Bout, forfeits: tuple[str, ...]) -> dict[str, float]:
        """What the game paid; zeros where it paid nothing."""
        paid = self._live(state).rewards
        return {agent: paid.get(seat, 0.0) for seat, agent in enumerate(self.agents)}

    def outcome(self, state: Bout, forfeits: tuple[str, ...], agent: str) -> Sight:
        """`won`: paid 1, what TextArena gives winners; `error`: the game itself broke."""
        won = self.rewards(state, forfeits)[agent] >= 1.0
        return {"won": won, "error": self._live(state).error or None}

    def farewell(self, sight: Sight, agent: str) -> str:
        """How TextArena told the end."""
        return self.status(sight, agent)

    def freeze(self, state: Bout) -> JsonValue:
        """The seed and the moves."""
        return {"seed": state.seed, "moves": list(state.moves)}

    def thaw(self, frozen: JsonValue) -> Bout:
        """The seed and the moves again; they are replayed when they are needed."""
        held = cast("dict[str, Any]", frozen)
        moves = tuple(str(move)[:MAX_ACTION] for move in held["moves"])
        if len(moves) > MAX_MOVES:
            raise ValueError(f"{len(moves)} moves")
        state = Bout(seed=int(held["seed"]), moves=moves)
        self._live(state)
        return state

    def _live(self, state: Bout) -> Live:
        if self._cached is not None and self._cached[0] == state:
            return self._cached[1]
        live = Live(self.game, len(self.agents), state.seed)
        for number, move in enumerate(state.moves):
            if live.done:
                raise ValueError(f"the game ends after {number} of {len(state.moves)} moves")
            live.step(move)
        self._cached = (state, live)
        return live


class RandomTokens:
    """Answers one of the `[tokens]` that its text names, the same for the same text."""

    def act(self, reply: Reply) -> str:
        """A token of the last line that has some; of any line if the last answer was invalid."""
        seen = cast("dict[str, Any]", reply.info["knowledge"])
        lines = [_TOKEN.findall(line) for line in str(seen["text"]).split("\n")]
        named = [[token for token in line if not _is_speaker(token)] for line in lines]
        listed = [line for line in named if line] or [["[pass]"]]
        every = [token for line in listed for token in line]
        rng = random.Random(f"{reply.info['agent']}/{reply.info['invalid']}/{seen['text']}")
        wary = "invalid move" in str(seen["text"])[int(seen["cut"]) :]
        return rng.choice(every if wary else listed[-1])


def wrap_textarena(game: str, players: int = 2, *, split: str = "train") -> Game[Bout]:
    """A game of TextArena with the turn interface of all games."""
    return Game(TextArena(game, players), split=split)


def _is_speaker(token: str) -> bool:
    return token == "[GAME]" or token.startswith("[Player")


def _whole(number: JsonValue) -> int:
    assert isinstance(number, int)
    return number


def _known(game: str) -> None:
    registry = cast("dict[str, object]", _textarena().envs.registration.ENV_REGISTRY)
    if game not in registry:
        hint = near(game, registry)
        raise BadOption(f"TextArena has no game {game!r:.80}.{hint}")


def _started(game: str, players: int, seed: int) -> Any:  # noqa: ANN401
    try:
        env = _textarena().make(game)
        env.reset(num_players=players, seed=seed)
    except LookupError as error:
        told = " ".join(str(error).replace("*", "").split())[:200]
        raise MissingExtra(f"TextArena's {game} needs data that is not here: {told}") from None
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise EnvCodeError(
            f"TextArena's {game} does not start with {players} players: {told:.300}"
        ) from None
    return env


def _textarena() -> Any:  # noqa: ANN401
    """The package; its import draws from the global generator, which is set back."""
    with _GLOBAL:
        held = random.getstate()
        try:
            return importlib.import_module("textarena")
        finally:
            random.setstate(held)

"""`ALFWorldEnv`: household tasks in text, on official games or on generated ones.

An episode pays 10 when its goal holds for the first time, and ends there; every other step pays
nothing. Commands that the game does not accept are answered `Nothing happens.` and cost a turn.
"""

import re
from pathlib import Path

from ..base import ExpertKind, TextEnv
from ..catalog import ALFWORLD
from ..errors import BadOption, EpisodeError, UnknownTask
from ..types import JsonValue, Options, Policy, Reply
from . import expert
from .aim import TASK_TYPES
from .engines import Opener, open_engine
from .game import Game
from .searcher import Searcher
from .sources import open_source
from .vocabulary import phrases
from .world import Running

WIN_REWARD = 10.0
_OLD_PUT = re.compile(r"\Aput (.+?) (?:in/on|in|on) (.+)\Z")


class ALFWorldEnv(TextEnv):
    """ALFWorld: the texts and the dynamics of TextWorld 1.7 with alfworld 0.4."""

    card = ALFWORLD

    def __init__(
        self,
        *,
        games: str | Path = "",
        split: str | None = None,
        difficulty: str = "standard",
        engine: str = "native",
        normalize: bool = False,
        max_steps: int | None = None,
    ) -> None:
        """Without `games` (a pack, folder or zip) games are generated, in the given `difficulty`.

        `split` names a part of official games, or `train` (the default) or `test` of generated
        ones. `engine` is `native`, or `textworld` for TextWorld itself (extra `alfworld`).
        `normalize` accepts commands in upper case, with odd blanks, or as `put X in/on Y`.
        """
        super().__init__(max_steps=max_steps)
        self._source = open_source(str(games), split, difficulty)
        self._engine = engine
        self._open: Opener | None = open_engine(engine)
        self._normalize = normalize
        self._running: Running | None = None
        self.split = self._source.split
        self.num_tasks = self._source.count(self.split)

    @classmethod
    def isolated_with(cls, options: Options) -> bool:
        """TextWorld is; our engine is not."""
        return options.get("engine") == "textworld"

    @property
    def world(self) -> Running:
        """The game being played. Raises `EpisodeError` before a start."""
        if self._running is None:
            raise EpisodeError("ALFWorld-v0: no game is running; call reset first")
        return self._running

    def task_count(self, split: str | None) -> int | None:
        """Number of games of a split, None: without end. Raises `BadOption`."""
        return self._source.count(split)

    def task_id(self, seed: int, split: str | None) -> str:
        """The id of the game that a seed picks from a split."""
        return self._source.id_of(seed, split)

    def begin(self, seed: int, options: Options) -> Reply:
        """Start the game named by the option `task`, or else the one of the seed."""
        unknown = sorted(options.keys() - {"task"})
        if unknown:
            raise BadOption(f"no reset option {unknown[0]!r}; ALFWorld-v0 takes: task")
        world = self._begun(self._choose(seed, options))
        intro = world.intro()
        self._running = world
        return self._reply(intro)

    def act(self, action: str) -> Reply:
        """Do one command."""
        return self._reply(self.world.apply(plain(action) if self._normalize else action))

    def freeze(self) -> JsonValue:
        """The game's id and its state."""
        return {"task": self.world.game.id, "state": self.world.freeze()}

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a frozen game, which this environment must have or be able to generate."""
        if not isinstance(frozen, dict) or not isinstance(game_id := frozen.get("task"), str):
            raise BadOption("not a frozen game of ALFWorld-v0: expected the keys task and state")
        try:
            world = self._begun(self._source.named(game_id))
        except UnknownTask as error:
            raise UnknownTask(f"the snapshot's game is not here: {error}") from None
        world.thaw(frozen.get("state"))
        self._running = world

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """The expert that sees the state of this environment, or one that reads replies only."""
        return StateExpert(self) if kind == "state" else Searcher(seed)

    def close(self) -> None:
        """End the running game; the process of the engine `textworld` ends with the last env."""
        self._running = self._open = None
        super().close()

    def vocabulary(self) -> tuple[str, ...]:
        """Names, commands and fixed phrases of all texts."""
        return phrases()

    def _begun(self, game: Game) -> Running:
        if self._open is None:
            self._open = open_engine(self._engine)
        return self._open(game, lambda: self._source.held(game.id))

    def _choose(self, seed: int, options: Options) -> Game:
        task = options.get("task")
        if task is None:
            return self._source.drawn(seed)
        if not isinstance(task, str):
            raise BadOption(f"the option task must be the id of a game, got {task!r:.80}")
        return self._source.named(task)

    def _reply(self, observation: str) -> Reply:
        world = self.world
        game, won = world.game, world.won
        return Reply(
            observation=observation,
            reward=WIN_REWARD if won else 0.0,
            terminated=won,
            state_key=world.state_key(),
            admissible_actions=world.admissible(),
            info={
                "won": won,
                "task_id": game.id,
                "task_type": TASK_TYPES[game.aim.kind] if game.aim else "other",
                "goal": game.task,
            },
        )


class StateExpert:
    """Plays an environment with its state in view; draws nothing from the replies."""

    def __init__(self, env: ALFWorldEnv) -> None:
        self._env = env

    def act(self, reply: Reply) -> str:
        """The next command on the way to the goal."""
        return expert.next_command(self._env.world.mirror())


def plain(command: str) -> str:
    """A command as the game writes it: lower case, single blanks, `move` for the older `put`."""
    words = " ".join(command.lower().split())
    return _OLD_PUT.sub(r"move \1 to \2", words)

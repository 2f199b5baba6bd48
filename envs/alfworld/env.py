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
from .game import Game
from .searcher import Searcher
from .sources import open_source
from .vocabulary import phrases
from .world import World

WIN_REWARD = 10.0
_OLD_PUT = re.compile(r"\Aput (.+?) (?:in/on|in|on) (.+)\Z")


class ALFWorldEnv(TextEnv):
    """ALFWorld, native: the texts and the dynamics of TextWorld 1.7 with alfworld 0.4."""

    card = ALFWORLD

    def __init__(
        self,
        *,
        games: str | Path = "",
        split: str = "train",
        difficulty: str = "standard",
        engine: str = "native",
        normalize: bool = False,
        max_steps: int | None = None,
    ) -> None:
        """Without `games` (a pack, folder or zip) games are generated, in the given `difficulty`.

        `split` names a part of a folder of official games, or `train` or `test` of generated ones.
        `normalize` accepts commands in upper case, with odd blanks, or as `put X in/on Y`.
        """
        super().__init__(max_steps=max_steps)
        if engine != "native":
            raise BadOption(f"ALFWorld-v0 has the engine 'native' only, got engine={engine!r}")
        self._source = open_source(str(games), split, difficulty)
        self._normalize = normalize
        self._running: World | None = None
        self.num_tasks = self._source.num_tasks

    @property
    def world(self) -> World:
        """The game being played. Raises `EpisodeError` before a start."""
        if self._running is None:
            raise EpisodeError("ALFWorld-v0: no game is running; call reset first")
        return self._running

    def begin(self, seed: int, options: Options) -> Reply:
        """Start the game named by the option `task`, or else the one of the seed."""
        unknown = sorted(options.keys() - {"task"})
        if unknown:
            raise BadOption(f"no reset option {unknown[0]!r}; ALFWorld-v0 takes: task")
        self._running = World(self._choose(seed, options))
        return self._reply(self._running.intro())

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
            world = World(self._source.named(game_id))
        except UnknownTask as error:
            raise UnknownTask(f"the snapshot's game is not here: {error}") from None
        world.thaw(frozen.get("state"))
        self._running = world

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """The expert that sees the state of this environment, or one that reads replies only."""
        return StateExpert(self) if kind == "state" else Searcher(seed)

    def vocabulary(self) -> tuple[str, ...]:
        """Names, commands and fixed phrases of all texts."""
        return phrases()

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
        return expert.next_command(self._env.world)


def plain(command: str) -> str:
    """A command as the game writes it: lower case, single blanks, `move` for the older `put`."""
    words = " ".join(command.lower().split())
    return _OLD_PUT.sub(r"move \1 to \2", words)

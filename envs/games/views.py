"""`GameEnv`: a game as an environment of one agent, the other seats played by scripts.

Everything a `TextEnv` has is here: tasks, state keys, commands, snapshots, forks. The state key
adds the task and the script to what the seat knows, since these decide the answers it will get.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Literal

from ..base import TextEnv
from ..errors import BadOption
from ..types import JsonValue, Options, Policy, Reply, digest
from .game import Game
from .rules import SPLITS, S

Form = Literal["aec", "parallel"]
"""All seats one after the other, or at once."""


class GameEnv(TextEnv, Generic[S]):
    """One seat of a game; subclasses set `card` and build the game."""

    def __init__(
        self,
        game: Game[S],
        seat: str,
        others: Mapping[str, Policy],
        *,
        script: str,
        num_tasks: int | None = None,
        max_steps: int | None = None,
    ) -> None:
        super().__init__(max_steps=max_steps)
        if num_tasks is not None and num_tasks < 1:
            raise BadOption(f"num_tasks must be at least 1, got {num_tasks}")
        self.game, self.seat = game, seat
        self.split, self.num_tasks = game.split, num_tasks
        self._others, self._script = dict(others), script
        self._heard = 0

    def begin(self, seed: int, options: Options) -> Reply:
        """Start a task, and let the others play up to the seat's first turn."""
        self.game.reset(self._number(seed), options)
        self._play_others()
        self._heard = len(self.game.position.log)
        return self._keyed(self.game.reply(self.seat))

    def act(self, action: str) -> Reply:
        """Make the seat's move, and let the others play up to its next turn."""
        verdict = self.game.act(self.seat, action)
        self._play_others()
        news = self.game.news(self.seat, self._heard, verdict.message)
        self._heard = len(self.game.position.log)
        return self._keyed(self.game.reply(self.seat, news, verdict.valid))

    def freeze(self) -> JsonValue:
        """The position, the seat and the others' script."""
        return {"seat": self.seat, "script": self._script, "game": self.game.freeze()}

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a position. Raises `BadOption` for one of another seat or script."""
        held: dict[str, Any] = frozen if isinstance(frozen, dict) else {}
        if (held.get("seat"), held.get("script")) != (self.seat, self._script):
            raise BadOption(
                f"{self.card.id}: the snapshot is of seat {held.get('seat')!r:.40} against "
                f"{held.get('script')!r:.40}, this is {self.seat} against {self._script}"
            )
        game = self.game.clone()
        game.restore(held.get("game"))
        self.game, self._heard = game, len(game.position.log)

    def task_count(self, split: str | None) -> int | None:
        """As many in each split."""
        return self.num_tasks if split in SPLITS else super().task_count(split)

    def task_id(self, seed: int, split: str | None) -> str:
        """`train/7` and the like."""
        return f"{split}/{self._number(seed)}"

    def _number(self, seed: int) -> int:
        return seed if self.num_tasks is None else seed % self.num_tasks

    def _play_others(self) -> None:
        game = self.game
        while not game.done:
            waiting = [agent for agent in game.movers() if agent != self.seat]
            if not waiting:
                return
            game.act(waiting[0], self._others[waiting[0]].act(game.reply(waiting[0], "")))

    def _keyed(self, reply: Reply) -> Reply:
        task = self.game.position.task
        key = digest([task, self._script, reply.state_key])
        return replace(reply, state_key=key)

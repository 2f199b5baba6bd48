"""`trl_environment`: an environment in the form that TRL's `environment_factory` wants.

TRL builds instances without arguments, resets them often and offers every public function but
`reset` and `get_reward` to the model as a tool; so there is one, `act`.
"""

from typing import Any

from ..registry import card, make
from ..types import JsonValue, Reply


def trl_environment(env_id: str, **options: JsonValue) -> type:
    """A class for `GRPOTrainer(environment_factory=...)`; options are those of `make`.

    Of a dataset's row, `seed` and `task` pick the episode. Raises `UnknownEnv` for the name.
    """
    name = "".join(letter if letter.isalnum() else "_" for letter in card(env_id).id)

    class TRLEnvironment:
        """One episode after another; the model plays through the tool `act`."""

        def __init__(self) -> None:
            self._env = make(env_id, **options)
            self._reply = Reply(observation="")
            self._earned = 0.0
            self._drawn = 0

        def reset(self, **row: Any) -> str:  # noqa: ANN401
            """Start the episode that the row names; without a seed, those from 0 on."""
            seed, task = row.get("seed"), row.get("task")
            if seed is None:
                seed, self._drawn = self._drawn, self._drawn + 1
            self._reply = self._env.start(int(seed), {} if task is None else {"task": task})
            self._earned = 0.0
            return _text(self._reply)

        def act(self, command: str) -> str:
            """Carry out one command in the world and see what happens.

            Args:
                command: The command in plain words, one of the possible ones if they are listed.

            Returns:
                What the world shows after the command.
            """
            if self._reply.done:
                return "The episode is over."
            self._reply = self._env.answer(command)
            self._earned += self._reply.reward
            return _text(self._reply)

        def get_reward(self) -> float:
            """The return of the episode so far."""
            return self._earned

    TRLEnvironment.__name__ = TRLEnvironment.__qualname__ = name
    return TRLEnvironment


def _text(reply: Reply) -> str:
    if reply.done:
        return f"{reply.observation}\nThe episode is over."
    if reply.admissible_actions is None:
        return reply.observation
    return f"{reply.observation}\nPossible commands: {'; '.join(reply.admissible_actions)}"

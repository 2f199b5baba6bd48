"""The scripted expert: it works the problem on the calculator, then answers; it always wins."""

from typing import TYPE_CHECKING

from ..types import Reply

if TYPE_CHECKING:
    from .env import MathToolsEnv


class StateExpert:
    """Plays an environment with its problem's answer in view; draws nothing from the replies."""

    def __init__(self, env: "MathToolsEnv") -> None:
        self._env = env

    def act(self, reply: Reply) -> str:
        """The next line of the work while there are calls and turns for it, else the answer."""
        episode = self._env.episode
        done, work = len(episode.calls), episode.problem.work
        left = self._env.turns_left
        hurried = left is not None and left <= 1
        offered = "calculator" in self._env.tools and done < self._env.budget
        if offered and done < len(work) and not hurried:
            return f"<calculator>{work[done]}</calculator>"
        return f"<answer>{episode.problem.answer}</answer>"

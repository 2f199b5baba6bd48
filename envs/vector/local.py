"""Environments in this process, one after the other."""

from collections.abc import Callable, Mapping, Sequence

from ... import GigymError
from ..base import TextEnv
from ..errors import EnvCodeError
from ..types import Reply
from .crew import Answer, Start


class LocalCrew:
    """See the module docstring."""

    def __init__(self, envs: Sequence[TextEnv]) -> None:
        self.envs = tuple(envs)

    def start(self, starts: Mapping[int, Start]) -> dict[int, Answer]:
        """Begin episodes."""
        return {i: begin(self.envs[i], start) for i, start in starts.items()}

    def answer(self, actions: Mapping[int, str]) -> dict[int, Answer]:
        """Apply actions."""
        return {i: act(self.envs[i], action) for i, action in actions.items()}

    def close(self) -> None:
        """Close the environments."""
        for env in self.envs:
            env.close()


def begin(env: TextEnv, start: Start) -> Answer:
    """The answer of one environment to a start."""
    return _tried(env, lambda: env.start(start.seed, start.options))


def act(env: TextEnv, action: str) -> Answer:
    """The answer of one environment to an action."""
    return _tried(env, lambda: env.answer(action))


def _tried(env: TextEnv, call: Callable[[], Reply]) -> Answer:
    try:
        return call()
    except GigymError as error:
        return error
    except (Exception, SystemExit) as error:
        failure = EnvCodeError(f"{env.card.id} raised {type(error).__name__}: {error}")
        failure.__cause__ = error
        return failure

"""`skyrl_environment`: an environment in the form of skyrl-gym's `BaseTextEnv`.

    skyrl_gym.register("alfworld", entry_point=skyrl_environment("ALFWorld-v0", split="train"))

With skyrl-gym installed the class is a subclass of its base, else it has the same methods.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

from ..registry import card, make
from ..types import JsonValue, Options, Reply

Messages: TypeAlias = list[dict[str, str]]


class Plain:
    """What of `BaseTextEnv` is used, where skyrl-gym is not installed."""

    turns: int
    max_turns: int

    def __init__(self) -> None:
        self.turns, self.max_turns = 0, 1


class Episode:
    """One episode of text: messages in, messages out; its subclasses name the environment."""

    env_id: ClassVar[str]
    options: ClassVar[Options]

    def __init__(self, env_config: object = None, extras: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._env = make(self.env_id, **self.options)
        self._extras = dict(extras or {})
        self.max_turns: int = self._extras.get("max_turns") or self._env.max_steps or 1_000_000
        self._reply = Reply(observation="")
        self.turns: int = 0

    def init(self, prompt: Messages) -> tuple[Messages, dict[str, Any]]:
        """Start the episode; its first observation follows the prompt."""
        task = self._extras.get("task")
        named = {} if task is None else {"task": task}
        self._reply = self._env.start(int(self._extras.get("seed", 0)), named)
        self.turns = 0
        return [*prompt, *_messages(self._reply)], _metadata(self._reply)

    def step(self, action: str) -> dict[str, Any]:
        """Send one action of the model to the environment."""
        self._reply = self._env.answer(action)
        self.turns += 1
        done = self._reply.done or self.turns >= self.max_turns
        return {
            "observations": [] if done else _messages(self._reply),
            "reward": self._reply.reward,
            "done": done,
            "metadata": _metadata(self._reply),
        }

    def close(self) -> None:
        """Give the environment back."""
        self._env.close()

    def get_metrics(self) -> dict[str, Any]:
        """Success of the episode and its turns, as numbers."""
        won = bool(self._reply.info.get("won"))
        return {"success": float(won), "turns": float(self.turns)}


def skyrl_environment(env_id: str, **options: JsonValue) -> type:
    """A class for `skyrl_gym.register`; options are those of `make`.

    `extras` of an instance may hold `seed` and `task`, which pick the episode, and `max_turns`.
    """
    card(env_id)
    base: Any = Plain
    if importlib.util.find_spec("skyrl_gym") is not None:
        base = importlib.import_module("skyrl_gym.envs.base_text_env").BaseTextEnv
    return type("SkyRLEnvironment", (Episode, base), {"env_id": env_id, "options": options})


def _messages(reply: Reply) -> Messages:
    listed = reply.admissible_actions
    more = "" if listed is None else f"\nPossible actions: {'; '.join(listed)}"
    return [{"role": "user", "content": f"{reply.observation}{more}"}]


def _metadata(reply: Reply) -> dict[str, Any]:
    return {
        **reply.info,
        "state_key": reply.state_key,
        "terminated": reply.terminated,
        "truncated": reply.truncated,
    }

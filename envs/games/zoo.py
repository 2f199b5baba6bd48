"""PettingZoo environments of a game: `env(game)` one seat after the other, `parallel_env(game)`.

The only file that imports pettingzoo (extra `multi`). Observations are the whole view of a seat
and the templates of its commands; `infos` hold per seat what grouping needs: `state_key`,
`task_id`, `admissible_actions`, `valid`, `turn`. Rewards come with the last step, to all seats
at once. Reset options other than `task` are ignored, as PettingZoo's own checks send some.
"""

import random
from collections.abc import Mapping
from typing import Any, Generic

import gymnasium

from ..errors import BadOption, EpisodeError, need
from ..spaces import UnicodeText
from .game import Game
from .rules import S, Verdict
from .views import Form

need("pettingzoo", "multi")

from pettingzoo import AECEnv, ParallelEnv  # noqa: E402  # pyright: ignore[reportMissingTypeStubs]

MAX_OBSERVATION = 16_384
MAX_ACTION = 2_048
"""Characters; what is longer is cut."""

Observation = dict[str, str]
Info = dict[str, Any]


class _Seats(Generic[S]):
    """What both forms share: spaces, views, the count of cycles."""

    def __init__(self, game: Game[S], max_cycles: int | None, render_mode: str | None) -> None:
        if max_cycles is not None and max_cycles < 1:
            raise BadOption(f"max_cycles must be at least 1, got {max_cycles}")
        if render_mode not in (None, "ansi", "human"):
            raise BadOption(f"render_mode is None, 'ansi' or 'human', got {render_mode!r}")
        self.game, self.max_cycles, self.render_mode = game, max_cycles, render_mode
        self.possible_agents = list(game.agents)
        self.agents: list[str] = []
        self.observation_spaces = {agent: _observation_space() for agent in game.agents}
        self.action_spaces = {agent: UnicodeText(MAX_ACTION) for agent in game.agents}
        self._actions = 0
        self._draw = random.Random("0")
        self._last: dict[str, Verdict] = {}

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """Text, and the templates of the commands, one per line."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> UnicodeText:
        """Any text."""
        return self.action_spaces[agent]

    def view(self, agent: str) -> Observation:
        """What a seat sees: the referee's word on its last move, the game, its commands."""
        last = self._last.get(agent)
        word = f"{last.message}\n\n" if last is not None and not last.valid else ""
        text = word + self.game.observe(agent)
        legal = "\n".join(self.game.legal(agent))
        return {"observation": text[:MAX_OBSERVATION], "legal": legal[:MAX_OBSERVATION]}

    def info(self, agent: str) -> Info:
        """Facts for a seat, as `Game.info`, with its state key and its commands."""
        last = self._last.get(agent)
        facts: Info = {
            **self.game.info(agent),
            "valid": last is None or last.valid,
            "state_key": self.game.state_key(agent),
        }
        commands = self.game.commands(agent)
        return facts if commands is None else {**facts, "admissible_actions": [*commands]}

    def render(self) -> str | None:
        """The public log, or None where it is printed."""
        text = "\n".join(self.game.position.log)
        if self.render_mode != "human":
            return text
        print(text)
        return None

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, seed: int | None, options: Mapping[str, Any] | None) -> None:
        if seed is not None:
            self._draw = random.Random(f"{seed}")
        task = {"task": options["task"]} if options and "task" in options else None
        self.game.reset(self._draw.getrandbits(31) if seed is None else seed, task)
        self.agents = list(self.possible_agents)
        self._last, self._actions = {}, 0

    def _spent(self, cycles: float) -> bool:
        return self.max_cycles is not None and cycles >= self.max_cycles and not self.game.done

    def _text(self, agent: str, action: object) -> str:
        if not isinstance(action, str):
            raise BadOption(f"the action of {agent} must be text, got {action!r:.80}")
        return action[:MAX_ACTION]

    def _live(self) -> None:
        if not self.agents:
            raise EpisodeError(f"{self.game.rules.id}: no seat is left; call reset first")


class GameAEC(_Seats[S], AECEnv[str, Observation, str]):
    """One seat after the other."""

    def __init__(
        self, game: Game[S], *, max_cycles: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(game, max_cycles, render_mode)
        self.metadata = _metadata(game, is_parallelizable=False)
        self.agent_selection = ""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start the task of the seed, or the one that the option `task` names."""
        self._begin(seed, options)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: self.info(agent) for agent in self.agents}
        self.agent_selection = self.game.current()
        self._skip_agent_selection = None

    def observe(self, agent: str) -> Observation:
        """What a seat sees at present."""
        return self.view(agent)

    def step(self, action: str | None) -> None:
        """The move of `agent_selection`; None for a seat whose game is over."""
        self._live()
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)  # pyright: ignore[reportArgumentType]
            return
        text = self._text(agent, action)
        self._cumulative_rewards[agent] = 0.0
        self._last[agent] = self.game.act(agent, text)
        self._actions += 1
        done, cut = self.game.done, self._spent(self._actions / len(self.possible_agents))
        self.rewards = self.game.rewards()
        self.terminations = dict.fromkeys(self.agents, done)
        self.truncations = dict.fromkeys(self.agents, cut)
        self.infos = {name: self.info(name) for name in self.agents}
        self.agent_selection = _next(self.game, agent)
        self._accumulate_rewards()


class GameParallel(_Seats[S], ParallelEnv[str, Observation, str]):
    """All seats at once; a seat that is not on turn answers `wait`."""

    def __init__(
        self, game: Game[S], *, max_cycles: int | None = None, render_mode: str | None = None
    ) -> None:
        super().__init__(game, max_cycles, render_mode)
        self.metadata = _metadata(game, is_parallelizable=True)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, Info]]:
        """Start the task of the seed, or the one that the option `task` names."""
        self._begin(seed, options)
        return self._views(), {agent: self.info(agent) for agent in self.agents}

    def step(
        self, actions: Mapping[str, str]
    ) -> tuple[
        dict[str, Observation],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, Info],
    ]:
        """The moves of all seats; a seat without one has made an invalid one."""
        self._live()
        if not isinstance(actions, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise BadOption(f"step takes a text per seat, as a dict, got {actions!r:.80}")
        texts = {
            agent: self._text(agent, action)
            for agent, action in actions.items()
            if self.game.seat(agent) >= 0
        }
        self._last = self.game.act_all(texts)
        self._actions += 1
        done, cut = self.game.done, self._spent(self._actions)
        seats = tuple(self.agents)
        answer = (
            self._views(),
            self.game.rewards(),
            dict.fromkeys(seats, done),
            dict.fromkeys(seats, cut),
            {agent: self.info(agent) for agent in seats},
        )
        if done or cut:
            self.agents = []
        return answer

    def _views(self) -> dict[str, Observation]:
        return {agent: self.view(agent) for agent in self.agents}


def env(
    game: Game[S], *, max_cycles: int | None = None, render_mode: str | None = None
) -> GameAEC[S]:
    """A game as a PettingZoo `AECEnv`."""
    return GameAEC(game, max_cycles=max_cycles, render_mode=render_mode)


def parallel_env(
    game: Game[S], *, max_cycles: int | None = None, render_mode: str | None = None
) -> GameParallel[S]:
    """A game as a PettingZoo `ParallelEnv`."""
    return GameParallel(game, max_cycles=max_cycles, render_mode=render_mode)


def seated(
    game: Game[S], form: Form, *, max_cycles: int | None, render_mode: str | None
) -> GameAEC[S] | GameParallel[S]:
    """A game with all its seats: `aec` one after the other, `parallel` at once."""
    kind = GameAEC[S] if form == "aec" else GameParallel[S]
    return kind(game, max_cycles=max_cycles, render_mode=render_mode)


def _observation_space() -> gymnasium.spaces.Dict:
    text = UnicodeText(MAX_OBSERVATION)
    return gymnasium.spaces.Dict({"observation": text, "legal": UnicodeText(MAX_OBSERVATION)})


def _metadata(game: Game[S], is_parallelizable: bool) -> dict[str, Any]:
    return {
        "name": game.rules.id,
        "render_modes": ["ansi", "human"],
        "is_parallelizable": is_parallelizable,
    }


def _next(game: Game[S], agent: str) -> str:
    """The next seat to move after one; where several may, they go round."""
    turn = game.agents.index(agent) + 1
    order = game.agents[turn:] + game.agents[:turn]
    movers = game.movers()
    return next((name for name in order if name in movers), order[0])

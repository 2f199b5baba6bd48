"""`TextVectorEnv`: Gymnasium's vector environment over a crew.

Seeds are drawn here, by one generator per environment, exactly as a single environment draws
its own; a crew is told seeds only, so that all crews play the same episodes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ..base import drawn_seed, info_of
from ..errors import BadOption, EpisodeError
from ..spaces import UnicodeText
from ..types import Reply
from .crew import Answer, Crew, Start
from .infos import Infos, vector_infos
from .requests import actions_of, mask_of, options_of, seeds_of

Step: TypeAlias = tuple[
    tuple[str, ...], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Infos
]


class TextVectorEnv(VectorEnv[tuple[str, ...], Sequence[str | None], NDArray[Any]]):
    """Observations are tuples of str; see `reset` and `step` for what goes beyond Gymnasium."""

    def __init__(self, crew: Crew, num_envs: int, autoreset: AutoresetMode) -> None:
        super().__init__()
        self.num_envs = num_envs
        self.metadata = {"render_modes": [], "autoreset_mode": autoreset}
        self.single_observation_space = UnicodeText()
        self.single_action_space = UnicodeText()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._crew = crew
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._replies: list[Reply | None] = [None] * num_envs
        self._failed = np.zeros(num_envs, dtype=np.bool_)

    @property
    def replies(self) -> tuple[Reply | None, ...]:
        """The last answer of each environment in gigym's own form; None before its first reset."""
        return tuple(self._replies)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    ) -> tuple[tuple[str, ...], Infos]:
        """Begin episodes; environment i gets `seed + i`, or the i-th of a list of seeds.

        In `options`, `reset_mask` picks environments, the others keep what they have; `task` is one
        id for all or one per environment. A list of options gives each environment its own.
        """
        seeds = seeds_of(seed, self.num_envs)
        mask = mask_of(options, self.num_envs)
        each = options_of(options, self.num_envs)
        chosen = [int(i) for i in np.flatnonzero(mask)]
        infos = self._begin({i: self._start(i, seeds[i], each[i]) for i in chosen})
        return self._observations(), vector_infos(infos)

    def step(self, actions: Sequence[str | None]) -> Step:
        """Apply one action per environment; one whose action is None does not move.

        Raises `EpisodeError` for an environment whose episode is not running, and what an
        environment raised, with its number, once the others have moved.
        """
        texts = actions_of(actions, self.num_envs)
        mode = self.metadata["autoreset_mode"]
        over = {i for i in range(self.num_envs) if not self._runs(i)}
        due = over if mode is AutoresetMode.NEXT_STEP else set[int]()
        moves = {i: text for i, text in enumerate(texts) if text is not None and i not in due}
        self._refuse(over & moves.keys())
        infos = self._absorb(self._crew.answer(moves) if moves else {})
        results = self._results(moves)
        if mode is AutoresetMode.SAME_STEP:
            due = {i for i in moves if not self._runs(i)}
            finals = {i: {"final_obs": self._text(i), "final_info": infos[i]} for i in due}
        else:
            finals = {}
        if due:
            fresh = self._begin({i: self._start(i, None, {}) for i in sorted(due)})
            infos = [fresh[i] if i in due else info for i, info in enumerate(infos)]
        joined = vector_infos(
            [{**(infos[i] or {}), **finals.get(i, {})} or None for i in range(self.num_envs)]
        )
        return self._observations(), *results, joined

    def close_extras(self, **kwargs: Any) -> None:  # noqa: ANN401
        """Close the environments; nothing here is left to choose."""
        self._crew.close()

    def _start(self, i: int, seed: int | None, options: Mapping[str, Any]) -> Start:
        generator = self._generators[i]
        if seed is not None or generator is None:
            generator, _ = seeding.np_random(seed)
            self._generators[i] = generator
        return Start(seed=drawn_seed(generator) if seed is None else seed, options=options)

    def _begin(self, starts: Mapping[int, Start]) -> list[Infos | None]:
        return self._absorb(self._crew.start(starts))

    def _absorb(self, answers: Mapping[int, Answer]) -> list[Infos | None]:
        """Take all replies in; then raise what failed first."""
        infos: list[Infos | None] = [None] * self.num_envs
        failures: list[tuple[int, Exception]] = []
        for i, answer in sorted(answers.items()):
            self._failed[i] = isinstance(answer, Exception)
            if isinstance(answer, Exception):
                failures.append((i, answer))
            else:
                self._replies[i] = answer
                infos[i] = info_of(answer)
        for i, failure in failures:
            raise _numbered(failure, i)
        return infos

    def _results(
        self, moved: Mapping[int, str]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        rewards = np.zeros(self.num_envs, dtype=np.float64)
        terminations = np.zeros(self.num_envs, dtype=np.bool_)
        truncations = np.zeros(self.num_envs, dtype=np.bool_)
        resets = self.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        for i, reply in enumerate(self._replies):
            if reply is not None and (i in moved or not resets):
                rewards[i] = reply.reward if i in moved else 0.0
                terminations[i], truncations[i] = reply.terminated, reply.truncated
        return rewards, terminations, truncations

    def _runs(self, i: int) -> bool:
        reply = self._replies[i]
        return reply is not None and not reply.done and not self._failed[i]

    def _refuse(self, stopped: set[int]) -> None:
        if stopped:
            first = min(stopped)
            never = self._replies[first] is None
            state = "was never reset" if never else "has no running episode"
            raise EpisodeError(
                f"environment {first} {state}; reset it with options={{'reset_mask': mask}}, "
                "or leave it out with the action None"
            )

    def _text(self, i: int) -> str:
        reply = self._replies[i]
        return "" if reply is None else reply.observation

    def _observations(self) -> tuple[str, ...]:
        return tuple(self._text(i) for i in range(self.num_envs))


def autoreset_mode(name: str | AutoresetMode) -> AutoresetMode:
    """Gymnasium's mode of this name. Raises `BadOption` for a name it does not have."""
    modes = {mode.name.lower(): mode for mode in AutoresetMode}
    if isinstance(name, AutoresetMode):
        return name
    if name not in modes:
        raise BadOption(f"autoreset must be one of {', '.join(sorted(modes))}, got {name!r}")
    return modes[name]


def _numbered(failure: Exception, i: int) -> Exception:
    """The same failure, whose text begins with the number of its environment."""
    head, *rest = failure.args or ("",)
    failure.args = (f"environment {i}: {head}", *rest)
    return failure

"""Where problems come from: the generators, a data set by path, or reasoning-gym.

A source names the problem of a seed and makes the problem of a name.
"""

from collections.abc import Sequence
from typing import Protocol

from ..errors import BadOption, near
from . import reasoning
from .datasets import read_problems
from .names import names_of
from .problems import DIFFICULTIES, KINDS, rebuild
from .types import Problem

SPLITS = ("train", "test")


class Source(Protocol):
    """Names problems by seed and makes them by name."""

    @property
    def num_tasks(self) -> int | None:
        """Number of problems; None: without end."""
        ...

    def id_of(self, seed: int) -> str:
        """The id of the problem that a seed picks."""
        ...

    def named(self, problem_id: str) -> Problem:
        """The problem with this id. Raises `UnknownTask`."""
        ...


class Generated:
    """Problems without end; seeds go round the kinds, even problem seeds train, odd ones test."""

    num_tasks = None

    def __init__(self, kinds: tuple[str, ...], difficulty: int, split: str) -> None:
        if difficulty not in DIFFICULTIES:
            raise BadOption(f"difficulty must be 1 to 5, got {difficulty}")
        self._kinds, self._difficulty, self._split = kinds, difficulty, checked_split(split)

    def id_of(self, seed: int) -> str:
        """Kind by turns, then the seed of this split."""
        turn, place = divmod(seed, len(self._kinds))
        return f"{self._kinds[place]}/{self._difficulty}/{2 * turn + (self._split == 'test')}"

    def named(self, problem_id: str) -> Problem:
        """The problem of any generated id, of whatever kind, difficulty and split."""
        return rebuild(problem_id)


class Given:
    """The problems of a data set; seeds go round."""

    def __init__(self, path: str, split: str) -> None:
        self._problems = read_problems(path, split)
        self.num_tasks = len(self._problems)

    def id_of(self, seed: int) -> str:
        """Problem number `seed`, counted round the set."""
        return self._problems.problems[seed % len(self._problems)].id

    def named(self, problem_id: str) -> Problem:
        """The problem with this id. Raises `UnknownTask`."""
        return self._problems.named(problem_id)


class Reasoned:
    """Items of one reasoning-gym data set; even seeds train, odd ones test."""

    num_tasks = None

    def __init__(self, name: str, split: str) -> None:
        self._name, self._split = name, checked_split(split)
        reasoning.problem(name, 0)

    def id_of(self, seed: int) -> str:
        """The seed of this split."""
        return f"reasoning/{self._name}/{2 * seed + (self._split == 'test')}"

    def named(self, problem_id: str) -> Problem:
        """The problem of an id of any reasoning-gym data set."""
        return reasoning.named(problem_id)


def checked_split(split: str) -> str:
    """The split if it is one. Raises `BadOption`."""
    if split not in SPLITS:
        raise BadOption(f"no split {split!r}; MathTools-v0 has: {', '.join(SPLITS)}")
    return split


def kinds_named(kinds: str | Sequence[str]) -> tuple[str, ...]:
    """The kinds of a list such as `word,linear`; `all` names every kind."""
    names = names_of("kinds", kinds)
    if names == ("all",):
        return KINDS
    for name in names or ("",):
        if name not in KINDS:
            hint = near(name, KINDS)
            raise BadOption(
                f"no kind of problem {name!r}.{hint} There are: all, {', '.join(KINDS)}"
            )
    return tuple(dict.fromkeys(names))

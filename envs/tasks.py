"""`TaskSet`: the tasks of a split, counted and named without being built.

    tasks = gigym.tasks("ALFWorld-v0", split="test")
    len(tasks), tasks[3], tasks[:100]

A generator without end has the nominal length `NOMINAL_TASKS`; seeds beyond it are tasks as well.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from .types import JsonValue, Task

NOMINAL_TASKS = 1_000_000
"""Length of the task set of an environment that generates tasks without end."""

Naming = Callable[[int], str | None]
"""The id of the task that a seed picks; None where tasks have no ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSet(Sequence[Task]):
    """Tasks of one environment in the order of their seeds; a slice is a task set too."""

    env: str
    split: str | None
    """None where the environment has no splits."""
    seeds: range
    unlimited: bool
    """Tasks are generated; the length is nominal."""
    naming: Naming = field(repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.seeds)

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> "TaskSet": ...
    def __getitem__(self, index: int | slice) -> "Task | TaskSet":
        if isinstance(index, slice):
            return replace(self, seeds=self.seeds[index])
        if not -len(self.seeds) <= index < len(self.seeds):
            raise IndexError(f"no task {index} of {self.env}: there are {len(self.seeds)}")
        return self._task(self.seeds[index])

    def __iter__(self) -> Iterator[Task]:
        return map(self._task, self.seeds)

    def _task(self, seed: int) -> Task:
        name = self.naming(seed)
        return Task(env=self.env, seed=seed, options={} if name is None else {"task": name})


def tasks(env_id: str, split: str | None = None, **options: JsonValue) -> TaskSet:
    """The tasks of a registered environment, made with these options.

    Raises what `make` raises, and `BadOption` for a split it does not have.
    """
    from .registry import make

    return make(env_id, **options).tasks(split)

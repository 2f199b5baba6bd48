"""Splits and tasks of an environment; each task is the keywords of the reset that plays it.

Nothing is built but one environment of the host's options, when tasks are first asked for. Faults
are values that OpenEnv's task routes know: no tasks (501), a bad index or split (400).
"""

from collections.abc import Callable

from ...envs import BadOption, TextEnv, Unsupported
from ...envs.tasks import TaskSet
from ...envs.types import Task
from ...envs.wire import JsonObject

LONGEST_LISTING = 20_000
"""Tasks of one answer."""
_TYPES = {"train": "train", "test": "test"}
_WHOLE = "train"
"""Name of the only split of an environment that has tasks but no splits."""


class NoTasks(Exception):
    """The environment has no tasks that can be listed."""


class BadTask(Exception):
    """There is no such split, index or range."""


class Shelf:
    """The tasks of one environment; `build` makes it with the host's options."""

    def __init__(self, build: Callable[[], TextEnv]) -> None:
        self._build = build
        self._env: TextEnv | None = None
        self._sets: dict[str, TaskSet] = {}

    def splits(self) -> list[tuple[str, str]]:
        """Names and types (`train`, `validation`, `test`). Raises `NoTasks`."""
        return [(name, _TYPES.get(name, "validation")) for name in self._names()]

    def count(self, split: str) -> int:
        """Number of tasks; a generator without end tells its nominal one."""
        return len(self._set(split))

    def task(self, split: str, index: int) -> JsonObject:
        """One task. Raises `NoTasks` and `BadTask`."""
        tasks = self._set(split)
        if not 0 <= index < len(tasks):
            raise BadTask(f"no task {index} in {split}: indices are 0 to {len(tasks) - 1}")
        return _keywords(tasks[index])

    def tasks(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[JsonObject]:
        """The tasks from `start` to before `stop`. Raises `NoTasks` and `BadTask`."""
        tasks = self._set(split)
        first, last = start or 0, len(tasks) if stop is None else min(stop, len(tasks))
        if first < 0 or last < 0:
            raise BadTask("start and stop count from 0; they cannot be negative")
        if last - first > LONGEST_LISTING:
            raise BadTask(
                f"{last - first} tasks; an answer lists at most {LONGEST_LISTING}: ask for a part "
                "with task_range"
            )
        return [_keywords(tasks[index]) for index in range(first, last)]

    def _names(self) -> tuple[str, ...]:
        env = self._built()
        if env.card.splits:
            return env.card.splits
        if env.num_tasks is None:
            raise NoTasks(f"{env.card.id} has neither splits nor a number of tasks")
        return (_WHOLE,)

    def _set(self, split: str) -> TaskSet:
        if split not in self._sets:
            self._sets[split] = self._made(split)
        return self._sets[split]

    def _made(self, split: str) -> TaskSet:
        names, env = self._names(), self._built()
        if split not in names:
            raise BadTask(f"{env.card.id} has no split {split!r}; its splits: {', '.join(names)}")
        try:
            return env.tasks(split if env.card.splits else None)
        except Unsupported as error:
            raise NoTasks(str(error)) from None
        except BadOption as error:
            raise BadTask(str(error)) from None

    def _built(self) -> TextEnv:
        if self._env is None:
            self._env = self._build()
        return self._env


def _keywords(task: Task) -> JsonObject:
    return {"seed": task.seed, **task.options}

"""Seats: where a rollout plays, without knowing whether the environment is near or far.

A `Seat` plays one episode after another; a `SeatPool` opens any number of them. `LocalPool`
builds environments in process; `RemotePool` (remote.py) leases sessions of an env server. Both
answer the same replies for the same tasks and actions.
"""

from types import TracebackType
from typing import Protocol, Self

from .. import GigymError
from .base import TextEnv
from .errors import EnvCodeError
from .registry import make
from .types import Options, Reply, Task


class Seat(Protocol):
    """One place to play, used by one episode at a time."""

    async def reset(self, task: Task) -> Reply:
        """Start an episode. Raises `GigymError` leaves; infrastructure faults are `ServerError`."""
        ...

    async def step(self, action: str) -> Reply:
        """Apply one action."""
        ...


class SeatPool(Protocol):
    """Opens seats and closes them all at the end; an async context manager for who inherits it."""

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Exactly `count` seats, kept until the pool closes; asking again reuses them."""
        ...

    async def aclose(self) -> None:
        """Give everything back; calling twice is fine."""
        ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class LocalSeat:
    """A seat over an environment in this process."""

    def __init__(self, env: TextEnv) -> None:
        self._env = env

    async def reset(self, task: Task) -> Reply:
        """Start the task's episode."""
        try:
            return self._env.start(task.seed, task.options)
        except GigymError:
            raise
        except Exception as error:
            raise _env_raised(self._env, error) from error

    async def step(self, action: str) -> Reply:
        """Apply one action."""
        try:
            return self._env.answer(action)
        except GigymError:
            raise
        except Exception as error:
            raise _env_raised(self._env, error) from error


class LocalPool(SeatPool):
    """Environments of one id and one set of options, built in this process."""

    def __init__(self, env_id: str, options: Options) -> None:
        self._env_id = env_id
        self._options = options
        self._seats: list[LocalSeat] = []

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Build what is missing."""
        while len(self._seats) < count:
            self._seats.append(LocalSeat(make(self._env_id, **dict(self._options))))
        return tuple(self._seats[:count])

    async def aclose(self) -> None:
        """Drop the environments."""
        self._seats.clear()


def _env_raised(env: TextEnv, error: Exception) -> EnvCodeError:
    return EnvCodeError(f"{env.card.id} raised {type(error).__name__}: {error}")

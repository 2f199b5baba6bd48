"""Players behind an env server, and what the server says of its environments."""

import contextlib
import functools
from collections.abc import Sequence

from ... import GigymError
from ..connect.background import LoopThread
from ..connect.cards import known_card
from ..errors import UnknownEnv
from ..pool import Seat
from ..remote import ClientSpec, RemotePool, server_info
from ..types import EnvCard, JsonValue, Options, Reply, Task
from ..wire_answers import EnvInfo

_PATIENCE_S = 120.0
_FIRST_WORD_S = 10.0
"""For a server to say what it offers; one that is down is told soon."""


class FarPlayer:
    """A session of its own at a server."""

    def __init__(self, door: "Door", env_id: str, options: Options) -> None:
        self._door, self._env_id = door, env_id
        self._pool, self._seat = door.run_open(env_id, options)

    def start(self, seed: int, options: Options | None = None) -> Reply:
        """Reset."""
        task = Task(env=self._env_id, seed=seed, options=options or {})
        return self._door.thread.run(self._seat.reset(task), _PATIENCE_S)

    def answer(self, action: str) -> Reply:
        """Step."""
        return self._door.thread.run(self._seat.step(action), _PATIENCE_S)

    def close(self) -> None:
        """Close the session."""
        with contextlib.suppress(GigymError):
            self._door.thread.run(self._pool.aclose(), _PATIENCE_S)


class Door:
    """A server and the way to it."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url, self.token = url, token
        self.thread = LoopThread()

    def envs(self) -> tuple[EnvInfo, ...]:
        """What the server offers."""
        spec = ClientSpec(deadline_s=_FIRST_WORD_S)
        asked = server_info(self.url, token=self.token, client=spec)
        return tuple(self.thread.run(asked, _PATIENCE_S).envs)

    def card_of(self, env: EnvInfo) -> EnvCard:
        """What is known of an environment here, and else what its server tells."""
        return known_card(env)

    def run_open(self, env_id: str, options: Options) -> tuple[RemotePool, Seat]:
        """A pool with one seat."""
        return self.thread.run(self._open(env_id, options), _PATIENCE_S)

    async def _open(self, env_id: str, options: Options) -> tuple[RemotePool, Seat]:
        pool = RemotePool([self.url], env_id, options, token=self.token, client=ClientSpec())
        try:
            (seat,) = await pool.open(1)
        except BaseException:
            await pool.aclose()
            raise
        return pool, seat

    def close(self) -> None:
        """End the connections."""
        self.thread.stop()


def player(door: Door, env_id: str, held: Options, **options: JsonValue) -> FarPlayer:
    """A fresh player, with further options over those held."""
    return FarPlayer(door, env_id, {**held, **options})


def builder(door: Door, env_id: str, held: Options) -> "functools.partial[FarPlayer]":
    """What makes fresh players."""
    return functools.partial(player, door, env_id, held)


def chosen(offered: Sequence[EnvInfo], wanted: Sequence[str], url: str) -> list[EnvInfo]:
    """Those wanted, or all that are offered. Raises `UnknownEnv`."""
    names = {env.id: env for env in offered}
    for name in wanted:
        if name not in names:
            raise UnknownEnv(f"{url} has no environment {name!r}; it serves: {', '.join(names)}")
    return [names[name] for name in wanted or names]

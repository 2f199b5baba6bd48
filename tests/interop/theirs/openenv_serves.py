"""Stock OpenEnv servers around small environments; prints their URLs in one line.

Each word names one: `vault`, a deterministic game that honours seeds, or a game of TextArena for
one player. They share a process, since importing OpenEnv takes seconds.
"""

import asyncio
import random
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from openenv.core.env_server import (  # pyright: ignore[reportMissingImports]
    Action,
    Environment,
    Observation,
    State,
    create_fastapi_app,
)


class Command(Action):
    command: str


class Text(Observation):
    text: str = ""


class Vault(Environment):
    """Three digits between 0 and 4, told by the seed; each try says how many are right."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._code = (0, 0, 0)
        self._state = State()

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Observation:
        drawn = random.Random(seed)
        self._code = tuple(drawn.randrange(5) for _ in range(3))
        self._state = State(episode_id=episode_id, step_count=0)
        return Text(text=f"A vault of three digits; the sum is {sum(self._code)}.", done=False)

    def step(self, action: Command, timeout_s: float | None = None, **kwargs: Any) -> Observation:  # noqa: ANN401
        self._state.step_count += 1
        tried = tuple(int(digit) for digit in action.command if digit in "01234")
        right = sum(a == b for a, b in zip(tried, self._code, strict=False))
        won = tried == self._code
        done = won or self._state.step_count >= 20
        return Text(text=f"{right} right", reward=float(won), done=done)

    @property
    def state(self) -> State:
        return self._state


class Arena(Environment):
    """A one-player game of TextArena."""

    SUPPORTS_CONCURRENT_SESSIONS = True
    game = ""

    def __init__(self) -> None:
        super().__init__()
        import textarena  # pyright: ignore[reportMissingImports]

        self._game = textarena.make(env_id=self.game)
        self._state = State()

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Observation:
        self._game.reset(num_players=1, seed=seed)
        self._state = State(episode_id=episode_id, step_count=0)
        return Text(text=self._seen())

    def step(self, action: Command, timeout_s: float | None = None, **kwargs: Any) -> Observation:  # noqa: ANN401
        self._state.step_count += 1
        done, _ = self._game.step(action=action.command)
        if not done:
            return Text(text=self._seen())
        rewards, _ = self._game.close()
        return Text(text="The game is over.", reward=float(rewards[0]), done=True)

    def _seen(self) -> str:
        observation = self._game.get_observation()[1]
        return observation if isinstance(observation, str) else str(observation)

    @property
    def state(self) -> State:
        return self._state


def app_of(name: str) -> FastAPI:
    built = Vault if name == "vault" else type("Arena", (Arena,), {"game": name})
    return create_fastapi_app(built, Command, Text, max_concurrent_envs=64)


async def main() -> None:
    listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in sys.argv[1:]}
    servers = {
        name: uvicorn.Server(uvicorn.Config(app_of(name), log_level="warning"))
        for name in listeners
    }
    print(*(f"http://127.0.0.1:{own.getsockname()[1]}" for own in listeners.values()), flush=True)
    await asyncio.gather(
        *(servers[name].serve(sockets=[listener]) for name, listener in listeners.items())
    )


if __name__ == "__main__":
    asyncio.run(main())

"""OpenEnv's own server around an echo, and its own client as a load; runs where `openenv` is.

`serve` prints its URL. `load` reads a line `{"url", "sessions", "seconds"}` at a time and prints
what it measured, so that the seconds which importing OpenEnv takes are spent once.
"""

import asyncio
import functools
import importlib.util
import json
import socket
import sys
from pathlib import Path
from typing import Any


def serve(sessions: int) -> None:
    """Serve as OpenEnv's templates do, without the lines that uvicorn logs."""
    import uvicorn
    from openenv.core.env_server import (  # pyright: ignore[reportMissingImports]
        Action,
        Environment,
        Observation,
        State,
        create_fastapi_app,
    )

    class Said(Action):
        command: str

    class Heard(Observation):
        text: str = ""

    class Echo(Environment):
        """Says again what it was told."""

        SUPPORTS_CONCURRENT_SESSIONS = True

        def __init__(self) -> None:
            super().__init__()
            self._state = State()

        def reset(self, seed: int | None = None, episode_id: str | None = None) -> Heard:
            self._state = State(episode_id=episode_id)
            return Heard()

        def step(self, action: Said, timeout_s: float | None = None) -> Heard:
            self._state.step_count += 1
            return Heard(text=action.command, reward=0.0)

        @property
        def state(self) -> State:
            return self._state

    app = create_fastapi_app(Echo, Said, Heard, max_concurrent_envs=sessions)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def load() -> None:
    """Measure what is asked for, until stdin ends."""
    drive, action = _shared()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(asyncio.run(_round(drive, {"command": action}, asked))), flush=True)


async def _round(drive: Any, action: dict[str, str], asked: dict[str, Any]) -> object:  # noqa: ANN401
    from openenv.core import GenericEnvClient  # pyright: ignore[reportMissingImports]

    clients = [
        GenericEnvClient(asked["url"], connect_timeout_s=120, message_timeout_s=120)
        for _ in range(asked["sessions"])
    ]

    async def begin_one(client: Any) -> None:  # noqa: ANN401
        await client.connect()
        await client.reset()

    async def begin() -> list[Any]:
        await asyncio.gather(*map(begin_one, clients))
        return [functools.partial(client.step, action) for client in clients]

    try:
        return await drive(begin, asked["seconds"])
    finally:
        await asyncio.gather(*(client.close() for client in clients))


def _shared() -> tuple[Any, str]:
    """`drive` and the action, from the file beside this one."""
    place = importlib.util.spec_from_file_location("load", Path(__file__).with_name("load.py"))
    assert place is not None and place.loader is not None
    module = importlib.util.module_from_spec(place)
    sys.modules["load"] = module
    place.loader.exec_module(module)
    return module.drive, module.ACTION


if __name__ == "__main__":
    load() if sys.argv[1] == "load" else serve(int(sys.argv[2]))

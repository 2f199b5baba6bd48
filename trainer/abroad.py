"""The servers of `env.urls`: their token, and the set of games that their host may have fixed."""

import asyncio
from pathlib import Path

from ..envs.connect import Target, urls_of
from ..envs.connect.meeting import meet
from ..envs.remote import ClientSpec
from ..servers import load_token
from .config import Config
from .errors import ConfigError


def hosted_games(config: Config) -> int | None:
    """Size of the set of games that the host of `env.urls` fixed; None where there is none.

    Raises `ServerError` when no server can be asked.
    """
    target = Target(
        urls=urls_of(config.env.urls),
        env=config.env.id,
        kind=config.env.kind,
        token=server_token(config),
    )

    async def ask() -> int | None:
        client = ClientSpec()
        met = await meet(target, client, asyncio.get_running_loop().time() + client.create_s)
        # Where there is a split to test on, seeds number the tasks of each split by itself.
        return None if "test" in met.card.splits else met.num_tasks

    return asyncio.run(ask())


def server_token(config: Config) -> str | None:
    """The token for the servers of `env.urls`. Raises `ConfigError` when its file is missing."""
    if not config.env.token_file or not config.env.urls:
        return None
    path = Path(config.env.token_file).expanduser()
    if not path.is_file():
        raise ConfigError(f"env.token_file: no such file: {path}")
    return load_token(path)

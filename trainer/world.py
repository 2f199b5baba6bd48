"""What the trainer may know of its environment before it plays: card, phrases, set of games.

An environment that only servers have is known by its name alone.
"""

import asyncio
from pathlib import Path

from ..envs import EnvCard, UnknownEnv, card, make
from ..envs.connect import Target, urls_of
from ..envs.connect.meeting import meet
from ..envs.remote import ClientSpec
from ..servers import load_token
from .config import Config
from .errors import ConfigError

_UNTOLD = "unknown"


def world_card(config: Config) -> EnvCard:
    """The registered card, else, for an environment of foreign servers, one that promises nothing.

    Raises `UnknownEnv` for a name that is neither registered nor at the servers of `env.urls`.
    """
    try:
        return card(config.env.id)
    except UnknownEnv:
        if not config.env.urls:
            raise
    return EnvCard(
        id=config.env.id,
        version=_UNTOLD,
        summary="an environment of foreign servers",
        deterministic=False,
        state_is_markov=False,
    )


def world_phrases(config: Config) -> tuple[str, ...]:
    """Phrases worth a token each; none where the environment is not installed here."""
    if world_card(config).version == _UNTOLD:
        return ()
    return make(config.env.id, **config.env.options).vocabulary()


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

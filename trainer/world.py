"""What the trainer may know of its environment before it plays: its card and its phrases.

An environment that only servers have is known by its name alone.
"""

from ..envs import EnvCard, UnknownEnv, card, make
from .config import Config

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

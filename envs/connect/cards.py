"""What is known of an environment behind a server, as a card."""

from dataclasses import replace

from ..registry import card, registered
from ..types import EnvCard
from ..wire_answers import EnvInfo

_ANYWHERE = frozenset({"state_key", "admissible_actions"})
"""Abilities that a reply shows."""
_NEAR_ONLY = frozenset({"expert"})
"""Abilities that need the environment in this process."""


def known_card(env: EnvInfo) -> EnvCard:
    """The card that is registered here for this version, else what the server tells."""
    known = {found.id: found for found in registered()}
    if env.id in known and known[env.id].version == env.version:
        return card(env.id)
    low, high = env.reward_range
    return EnvCard(
        id=env.id,
        version=env.version,
        summary=env.summary,
        deterministic="replay" in env.caps,
        state_is_markov=bool(env.state_is_markov),
        success_reward=env.success_reward,
        reward_range=(
            float("-inf") if low is None else low,
            float("inf") if high is None else high,
        ),
        max_steps=env.max_steps,
        agents=env.agents,
        caps=tuple(env.caps),
        splits=tuple(env.splits),
    )


def far_card(env: EnvInfo) -> EnvCard:
    """The same under the host's options, without what a session at a server cannot do."""
    found = known_card(env)
    caps = tuple(cap for cap in found.caps if cap not in _NEAR_ONLY)
    if env.deterministic is None:
        # A server of an older kind tells nothing of its environment's options.
        return replace(found, caps=caps)
    return replace(found, caps=caps, max_steps=env.max_steps, splits=tuple(env.splits))


def foreign_card(env_id: str, version: str, summary: str, caps: tuple[str, ...]) -> EnvCard:
    """The card that is registered here for this version, with what another protocol leaves of it.

    For an unknown environment one that promises nothing beyond what was seen.
    """
    known = {found.id: found for found in registered()}
    if env_id in known and known[env_id].version == version:
        left = tuple(cap for cap in known[env_id].caps if cap in _ANYWHERE)
        return replace(known[env_id], caps=left)
    return EnvCard(
        id=env_id,
        version=version,
        summary=summary,
        deterministic=False,
        state_is_markov=False,
        caps=caps,
    )

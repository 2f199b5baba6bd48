"""Which key of a reply names the state that turns are grouped by (gigpo.md 5)."""

from typing import Literal

from ..envs.types import JsonValue, Reply, digest
from .errors import AnchorMissing

AnchorKind = Literal["state", "observation", "observation+admissible_actions"]


def anchor_keys(reply: Reply, kind: AnchorKind) -> tuple[str, ...]:
    """Keys from fine to coarse, each a function of the one before; the first is the anchor.

    A state key stands alone: what was observed depends on the action that led there as well.
    """
    if kind == "observation":
        return (reply.observation_key,)
    if kind == "state":
        if reply.state_key is None:
            raise AnchorMissing(
                "the environment gives no state_key; set rollout.anchor=observation"
            )
        return (reply.state_key,)
    if reply.admissible_actions is None:
        raise AnchorMissing(
            "the environment lists no admissible actions; set rollout.anchor=observation"
        )
    actions: list[JsonValue] = [*sorted(reply.admissible_actions)]
    return (digest([reply.observation, actions]), reply.observation_key)

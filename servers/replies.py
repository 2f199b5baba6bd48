"""Replies of environments as JSON bytes, checked once, when they are made.

A reply is encoded a single time and kept in that form: a repeated request costs nothing, and a
reply that is no valid message is an error of its own session alone.
"""

import json
import math
from dataclasses import dataclass
from json.encoder import encode_basestring
from numbers import Real

from ..envs import EnvCard, Reply
from ..envs.types import JsonValue
from ..envs.wire import Code
from .errors import WireFault
from .watch import Cut

_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
).encode
_ENCODE_ASCII = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer as the client gets it, and what the protocol needs to know of it."""

    n: int
    """Steps applied when it was given."""
    body: bytes
    """The reply as JSON."""
    terminated: bool
    truncated: bool
    state_key: str | None
    key: str
    """What a replay compares: the state key, or the observation's where there is none."""
    cuts: tuple[Cut, ...] = ()
    """Limits that this answer met."""

    @property
    def done(self) -> bool:
        """The episode is over, for either reason."""
        return self.terminated or self.truncated


def tell(reply: Reply, n: int, card: EnvCard, info_bytes: int) -> Told:
    """Encode a reply. Raises `WireFault` (`ENV_ERROR`) when it breaks the contract."""
    fault = _broken_contract(reply, card)
    if fault is not None:
        raise WireFault(Code.ENV_ERROR, f"{card.id}: {fault}", {"type": "Contract"})
    observation_key = reply.observation_key
    key = observation_key if reply.state_key is None else reply.state_key
    try:
        body = _json_of(reply, observation_key).encode()
    except (ValueError, TypeError, RecursionError) as error:
        message = f"{card.id}: the reply is no JSON in UTF-8: {error}"
        raise WireFault(Code.ENV_ERROR, message, {"type": type(error).__name__}) from None
    if len(body) > info_bytes and len(_ENCODE(dict(reply.info)).encode()) > info_bytes:
        message = f"{card.id}: info is longer than {info_bytes} bytes"
        raise WireFault(Code.ENV_ERROR, message, {"type": "Contract"})
    return Told(
        n=n,
        body=body,
        terminated=reply.terminated,
        truncated=reply.truncated,
        state_key=reply.state_key,
        key=key,
    )


def _json_of(reply: Reply, observation_key: str) -> str:
    """Field by field: an encoder of the whole mapping takes several times as long."""
    listed = reply.admissible_actions
    possible = "null" if listed is None else f"[{','.join(map(encode_basestring, listed))}]"
    state_key = "null" if reply.state_key is None else encode_basestring(reply.state_key)
    return (
        f'{{"observation":{encode_basestring(reply.observation)},"state_key":{state_key},'
        f'"observation_key":"{observation_key}","admissible_actions":{possible},'
        f'"reward":{float(reply.reward)!r},"terminated":{"true" if reply.terminated else "false"},'
        f'"truncated":{"true" if reply.truncated else "false"},'
        f'"info":{_ENCODE(dict(reply.info)) if reply.info else "{}"}}}'
    )


def _broken_contract(reply: Reply, card: EnvCard) -> str | None:
    """What is wrong with an answer; environments and snapshots may hold anything."""
    observation, reward, listed, state_key = _untyped(reply)
    if not isinstance(observation, str):
        return f"the observation must be text, got {type(observation).__name__}"
    number = finite(reward)
    if number is None:
        return f"the reward must be a finite number; this {type(reward).__name__} is none"
    low, high = card.reward_range
    if not low <= number <= high:
        return f"the reward {number} is outside the declared range {low} to {high}"
    if state_key is not None and not isinstance(state_key, str):
        return f"the state key must be text or None, got {type(state_key).__name__}"
    if listed is not None and not all(isinstance(action, str) for action in listed):
        return "admissible actions must be texts"
    return None


def finite(reward: object) -> float | None:
    """The reward as a number, if it is one and finite."""
    if isinstance(reward, bool) or not isinstance(reward, int | float | Real):
        return None
    try:
        number = float(reward)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _untyped(reply: Reply) -> tuple[object, object, tuple[object, ...] | None, object]:
    return reply.observation, reply.reward, reply.admissible_actions, reply.state_key


def played(sid: str, ep: int, told: Told, *, replayed: bool = False) -> bytes:
    """Result of a reset, step or restore."""
    tail = b',"replayed":true}' if replayed else b"}"
    return b'{"sid":"%s","ep":%d,"n":%d,"reply":%s%s' % (
        sid.encode("ascii"),
        ep,
        told.n,
        told.body,
        tail,
    )


def failed(sid: str | None, fault: WireFault) -> bytes:
    """Result of an item that was refused; ASCII, since messages quote what environments raised."""
    return encode({"sid": sid, "error": fault.body()})


def encode(value: JsonValue) -> bytes:
    """ASCII JSON of our own values."""
    return _ENCODE_ASCII(value).encode("ascii")

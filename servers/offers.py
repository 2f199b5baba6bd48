"""Which environments a server offers, and what a client may ask of them."""

import difflib
import functools
from collections.abc import Callable, Mapping

from ..envs import BadOption, TextEnv, UnknownEnv, card, make, option_names
from ..envs.types import JsonValue, Options
from ..envs.wire import Code
from ..envs.wire_answers import EnvInfo
from .errors import WireFault
from .spec import HostedEnv


class Offers:
    """The environments of a server by id. Raises what `make` raises for one it cannot build."""

    def __init__(self, envs: tuple[HostedEnv, ...]) -> None:
        if not envs:
            raise UnknownEnv("no environment to serve; name one: gigym serve ALFWorld-v0")
        self._options: dict[str, Options] = {env.id: env.options for env in envs}
        for env in envs:
            # Data that is missing or an option that is wrong shows here, not at the first client.
            make(env.id, **dict(env.options))

    def builder(self, env_id: str, options: Options) -> Callable[[], TextEnv]:
        """How to build an environment with a client's options over the host's.

        Raises `WireFault` for an environment not on offer and for options only its host may set.
        """
        if env_id not in self._options:
            raise self._unknown(env_id)
        for name in options:
            if name in card(env_id).host_options:
                message = (
                    f"option {name!r} of {env_id} names files of the server's machine; only its "
                    f"host sets it: gigym serve {env_id} {name}=..."
                )
                raise WireFault(Code.BAD_REQUEST, message, {"type": "BadOption"})
        merged: Mapping[str, JsonValue] = {**self._options[env_id], **options}
        return functools.partial(_made, env_id, merged)

    def infos(self) -> tuple[EnvInfo, ...]:
        """The offer, as `/v1/info` tells it."""
        return tuple(_info(env_id) for env_id in self._options)

    def _unknown(self, env_id: str) -> WireFault:
        near = difflib.get_close_matches(env_id, self._options, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        offered = ", ".join(self._options)
        message = f"this server has no environment {env_id!r}; {hint}It serves: {offered}"
        return WireFault(Code.UNKNOWN_ENV, message, {"type": "UnknownEnv"})


def _made(env_id: str, options: Options) -> TextEnv:
    if "env_id" in options:
        # `make` would take it for its own parameter.
        raise BadOption(f"{env_id} has no option 'env_id'")
    return make(env_id, **dict(options))


def _info(env_id: str) -> EnvInfo:
    shown = card(env_id)
    return EnvInfo(
        id=env_id,
        version=shown.version,
        summary=shown.summary,
        caps=(*shown.caps, "replay") if shown.deterministic else shown.caps,
        options=tuple(name for name in option_names(env_id) if name not in shown.host_options),
    )

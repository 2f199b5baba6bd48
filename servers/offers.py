"""Which environments a server offers, and what a client may ask of them."""

import difflib
import functools
from collections.abc import Callable
from math import isfinite

from ..envs import BadOption, TextEnv, UnknownEnv, Unsupported, card, option_names
from ..envs.types import Options
from ..envs.wire import Code
from ..envs.wire_answers import EnvInfo
from .errors import WireFault
from .playing import built
from .spec import HostedEnv


class Offers:
    """The environments of a server by id. Raises what `make` raises for one it cannot build."""

    def __init__(self, envs: tuple[HostedEnv, ...]) -> None:
        if not envs:
            raise UnknownEnv("no environment to serve; name one: gigym serve ALFWorld-v0")
        self._options: dict[str, Options] = {env.id: env.options for env in envs}
        if len(self._options) < len(envs):
            ids = ", ".join(env.id for env in envs)
            raise BadOption(f"a server offers an environment once, with one set of options: {ids}")
        # Data that is missing or an option that is wrong shows here, not at the first client.
        self.infos = tuple(_info(env) for env in envs)
        """The offer, as `/v1/info` tells it."""

    def chosen(self, env_id: str, options: Options) -> HostedEnv:
        """An environment with a client's options over the host's.

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
        return HostedEnv(id=env_id, options={**self._options[env_id], **options})

    def builder(self, env_id: str, options: Options) -> Callable[[], TextEnv]:
        """How to build what `chosen` names, in this process."""
        return functools.partial(built, self.chosen(env_id, options))

    def _unknown(self, env_id: str) -> WireFault:
        near = difflib.get_close_matches(env_id, self._options, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        offered = ", ".join(self._options)
        message = f"this server has no environment {env_id!r}; {hint}It serves: {offered}"
        return WireFault(Code.UNKNOWN_ENV, message, {"type": "UnknownEnv"})


def _info(env: HostedEnv) -> EnvInfo:
    shown, sample = card(env.id), built(env)
    low, high = shown.reward_range
    splits = tuple(split for split in shown.splits if _has_split(sample, split))
    sample.close()
    return EnvInfo(
        id=env.id,
        version=shown.version,
        summary=shown.summary,
        caps=(*shown.caps, "replay") if shown.deterministic else shown.caps,
        options=tuple(name for name in option_names(env.id) if name not in shown.host_options),
        deterministic=shown.deterministic,
        state_is_markov=shown.state_is_markov,
        success_reward=shown.success_reward,
        reward_range=(low if isfinite(low) else None, high if isfinite(high) else None),
        max_steps=sample.max_steps,
        agents=shown.agents,
        splits=splits,
        num_tasks=sample.num_tasks,
    )


def _has_split(sample: TextEnv, split: str) -> bool:
    """Whether a split is there under the host's options, which may fix a set of games."""
    try:
        sample.task_count(split)
    except BadOption:
        return False
    except Unsupported:
        # Environments of that split alone count it.
        return True
    return True

"""Words of a command line as records of a server: `ENV [key=value ...] ...` and `NAME=NUMBER`."""

from collections.abc import Sequence
from dataclasses import fields, replace

from ..envs import BadOption
from ..envs.options import parse_options
from .spec import HostedEnv, Limits


def hosted_envs(words: Sequence[str]) -> tuple[HostedEnv, ...]:
    """Environments of a command line: each id is followed by its own `key=value` options."""
    groups: list[list[str]] = []
    for word in words:
        if "=" in word and groups:
            groups[-1].append(word)
        else:
            groups.append([word])
    return tuple(HostedEnv(id=id, options=parse_options(options)) for id, *options in groups)


def limited(limits: Limits, words: Sequence[str]) -> Limits:
    """The limits with those that words like `items=64` set. Raises `BadOption`."""
    known = {limit.name: limit.type for limit in fields(Limits)}
    for word in words:
        name, _, text = word.partition("=")
        if name not in known:
            raise BadOption(f"no limit {name!r}; there are: {', '.join(known)}")
        limits = replace(limits, **{name: _number(word, text, whole=known[name] is int)})
    return limits


def _number(word: str, text: str, *, whole: bool) -> int | float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = -1
    # Only the rate has a meaning at 0, that of no bound.
    if 0 < number < float("inf") or (text == "0" and word.startswith("requests_per_s=")):
        return number
    kind = "whole number" if whole else "number"
    raise BadOption(f"a limit is NAME=NUMBER, a {kind} above 0; got {word!r}")

"""`key=value` texts, as the command line hands them to environments and to the configuration.

A value is read as TOML where that works (`4`, `1e-6`, `true`, `["a","b"]`), else it is the text
itself, so that `env.id=ALFWorld-v0` needs no quotes.
"""

import tomllib
from collections.abc import Iterable

from .errors import BadOption
from .types import JsonValue


def parse_assignment(text: str) -> tuple[str, JsonValue]:
    """Key and value of one `key=value`. Raises `BadOption` when there is no key or no sign."""
    key, sign, value = text.partition("=")
    key = key.strip()
    if not sign or not key:
        raise BadOption(f"expected key=value, got {text!r}; example: seed=7")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def parse_options(texts: Iterable[str]) -> dict[str, JsonValue]:
    """Options of an environment from `key=value` texts; a key given twice is refused."""
    options: dict[str, JsonValue] = {}
    for text in texts:
        key, value = parse_assignment(text)
        if key in options:
            raise BadOption(f"option {key!r} is given twice")
        options[key] = value
    return options

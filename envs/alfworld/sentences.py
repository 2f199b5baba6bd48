"""The task sentences: two for each task type, written by the generator, read by the searcher."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .tables import KINDS, Kind

PREFIX = "Your task is to: "
TEMPLATES: Mapping[Kind, tuple[str, str]] = {
    "place": ("put a {o} in {r}.", "put some {o} on {r}."),
    "look": ("look at {o} under the {r}.", "examine the {o} with the {r}."),
    "clean": ("clean some {o} and put it in {r}.", "put a clean {o} in {r}."),
    "heat": ("heat some {o} and put it in {r}.", "put a hot {o} in {r}."),
    "cool": ("cool some {o} and put it in {r}.", "put a cool {o} in {r}."),
    "two": ("put two {o} in {r}.", "find two {o} and put them in {r}."),
}
"""`{o}` is the object type, `{r}` the receptacle or lamp type, both in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a task sentence asks for."""

    kind: Kind
    thing: str
    """Object type in lower case, such as `mug`."""
    target: str
    """Receptacle type in lower case; the lamp's type where `kind` is `look`."""


def write_task(wish: Wish, choice: int) -> str:
    """The first or second sentence of the task type, as the whole task line."""
    return PREFIX + TEMPLATES[wish.kind][choice].format(o=wish.thing, r=wish.target)


def read_task(text: str) -> Wish | None:
    """What the task line in a text asks for; None where there is no task line."""
    for pattern, kind in _PATTERNS:
        if found := pattern.search(text):
            return Wish(kind=kind, thing=found["o"], target=found["r"])
    return None


def _pattern(template: str) -> re.Pattern[str]:
    escaped = re.escape(PREFIX + template)
    named = escaped.replace(r"\{o\}", "(?P<o>[a-z]+)").replace(r"\{r\}", "(?P<r>[a-z]+)")
    return re.compile(named)


_PATTERNS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (_pattern(text), kind) for kind in KINDS for text in TEMPLATES[kind]
)

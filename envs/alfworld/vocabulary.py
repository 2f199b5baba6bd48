"""Phrases worth one token each: names, type words and the fixed parts of every sentence.

Comes in: the tables and the grammar. Goes out: plain substrings of the texts and commands, without
blanks at their ends. A tokenizer that gives each of them (with the blank before it) one token
reads `You arrive at desk 1. On the desk 1, you see a mug 1, and a pen 2.` in nine tokens. One
vocabulary serves generated and official games of every size.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, combinations

from .sentences import PREFIX, TEMPLATES
from .tables import tables
from .text import HELP, MIDDLE, NOTHING_HAPPENS, WELCOME, condition

# Objects that official games show and the generator leaves out, with the highest number seen.
_SCENERY = {
    "bathtub": 1,
    "curtains": 1,
    "floorlamp": 2,
    "mirror": 1,
    "papertowelroll": 1,
    "showerglass": 1,
    "sink": 2,
    "teddybear": 1,
    "window": 3,
}
_MARGIN = 1
"""Numbers beyond the highest that the official train games show."""

_EVENTS = (
    "You arrive at",
    ". On the",
    ". The",
    "On the",
    "The",
    "is closed.",
    "is open. In it, you see a",
    "is open. In it, you see nothing.",
    ", you see a",
    ", you see nothing.",
    "You open the",
    "You close the",
    "You pick up the",
    "from the",
    "You move the",
    "to the",
    "You clean the",
    "You heat the",
    "You cool the",
    "using the",
    "You turn on the",
    "You sliced the",
    "with the",
    "You are carrying: a",
    "You are not carrying anything.",
    "You are facing the",
    ". Next to it, you see a",
    ". Next to it, you see nothing.",
    "This is a normal",
    ". In it, you see a",
    ". In it, you see nothing.",
)
_COMMANDS = (
    *("look", "inventory", "help", "go to", "open", "close", "examine", "use"),
    *("take", "from", "move", "to", "clean", "heat", "cool", "slice", "with"),
)
_LISTS = (", a", ", and a", ", and", ",", ".")


@lru_cache(maxsize=1)
def phrases() -> tuple[str, ...]:
    """Every phrase once, in ascending order."""
    counts = highest_numbers()
    names = (f"{word} {n}" for word, most in counts.items() for n in range(1, most + 1))
    start = WELCOME + MIDDLE.format("a").removesuffix(".")
    texts = (HELP, NOTHING_HAPPENS, MIDDLE.format("nothing"), start)
    found = chain(names, counts, texts, _EVENTS, _COMMANDS, _LISTS, _conditions(), _tasks())
    return tuple(sorted(set(found)))


@lru_cache(maxsize=1)
def highest_numbers() -> dict[str, int]:
    """Word of each type that can show in a text -> the highest number expected behind it."""
    counts = {word: number + _MARGIN for word, number in _SCENERY.items()}
    for layout in chain.from_iterable(tables().layouts.values()):
        for kind, number in layout.items():
            counts[kind.lower()] = max(counts.get(kind.lower(), 0), number + _MARGIN)
    for kind, games in chain.from_iterable(held.items() for held in tables().copies.values()):
        counts[kind.lower()] = max(counts.get(kind.lower(), 0), len(games) - 1 + _MARGIN)
    return counts


def _conditions() -> Iterator[str]:
    """What examining a held object says before and after its name."""
    traits = ("clean", "hot", "cool", "on", "sliced")
    for size in range(len(traits) + 1):
        for chosen in combinations(traits, size):
            before, _, after = condition("|", frozenset(chosen)).partition("|")
            yield from filter(None, (before.strip(), after.strip()))


def _tasks() -> Iterator[str]:
    """The task line around its object and receptacle, with the end of the list before it."""
    for template in chain.from_iterable(TEMPLATES.values()):
        before, _, rest = template.partition("{o}")
        yield f".\n\n{PREFIX}{before}".strip()
        yield PREFIX + before.strip()
        yield rest.partition("{r}")[0].strip()

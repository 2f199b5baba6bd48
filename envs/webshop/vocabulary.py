"""Phrases worth one token each: the fixed words of the pages, and those of the synthetic shop."""

from collections.abc import Iterator
from functools import lru_cache

from .tables import kinds
from .wishes import words_of_wishes
from .writing import brand_parts, words_of_products

_PAGES = (
    "WebShop [SEP] Instruction: [SEP]",
    "Instruction: [SEP]",
    "[SEP] Back to Search [SEP]",
    "[SEP] < Prev [SEP]",
    "[SEP] Next > [SEP]",
    "[SEP] Price: $",
    "[SEP] Rating: N.A. [SEP] Description [SEP] Features [SEP] Reviews [SEP] Buy Now",
    "(Total results: 50)",
    "(Total results:",
    "[SEP] Search",
    "[SEP]",
    "[SEP] $",
    "Page",
    "click[",
    "search[",
    "click[back to search]",
    "click[buy now]",
    "click[next >]",
    "click[< prev]",
    "click[description]",
    "click[features]",
    "click[reviews]",
    "Thank you for shopping with us!",
    ", and price lower than",
    "0.00 dollars",
    "dollars",
)


@lru_cache(maxsize=1)
def phrases() -> tuple[str, ...]:
    """Plain substrings of observations and actions, each once, without blanks at the ends."""
    return tuple(dict.fromkeys((*_PAGES, *words_of_wishes(), *words_of_products(), *_tables())))


def _tables() -> Iterator[str]:
    for kind in kinds():
        for phrase in kind.phrases:
            yield from (phrase.name, _titled(phrase.name))
        for name, values in kind.groups:
            yield name
            yield from values
        for name in kind.names:
            yield from (name, _titled(name))
    yield from brand_parts()
    yield from (part.capitalize() for part in brand_parts())


def _titled(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split())

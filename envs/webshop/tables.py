"""The word tables of the synthetic shop: what it sells, in which kinds, and how phrases are said.

Read once from `envs/data/webshop_words.json`. Within one kind of article no attribute and no
option value can be taken for another by the reward's fuzzy comparison; the tests prove it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

Manner = Literal["adjective", "with", "for", "of"]
_MANNERS: dict[str, Manner] = {"a": "adjective", "w": "with", "f": "for", "o": "of"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """An attribute and the way it is said."""

    name: str
    """The attribute itself, without an article: `rubber sole`."""
    said: str
    """As it stands in a sentence: `a rubber sole`."""
    manner: Manner
    """What leads to it: `with`, `for`, `made of`, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of article: what all its products have in common."""

    category: str
    path: str
    """Category levels from wide to narrow, joined as the pages show them."""
    head: str
    """The usual name, in lower case; also the query of its products."""
    synonyms: tuple[str, ...]
    plural: bool
    """The names are many things or stuff: no article, `them`."""
    phrases: tuple[Phrase, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    """Option groups: name and all values that a product may offer."""
    low: float
    high: float
    """Bounds between which prices are drawn."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name a customer may use."""
        return (self.head, *self.synonyms)


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds in table order."""
    text = files("gigym.envs").joinpath("data/webshop_words.json").read_text("utf-8")
    table = json.loads(text)
    groups = {
        key: (cast(str, group["name"]), tuple(cast(list[str], group["values"])))
        for key, group in table["options"].items()
    }
    return tuple(
        Kind(
            category=category["name"],
            path=" \u203a ".join(row["path"]),
            head=row["head"],
            synonyms=tuple(row["synonyms"]),
            plural=row["number"] == "many",
            phrases=tuple(_phrase(text) for text in category["attributes"] + row["attributes"]),
            groups=tuple(groups[key] for key in row["options"]),
            low=row["price"][0],
            high=row["price"][1],
        )
        for category in table["categories"]
        for row in category["types"]
    )


def _phrase(text: str) -> Phrase:
    letter, said = text.split(":", 1)
    name = said.removeprefix("a ").removeprefix("an ")
    return Phrase(name=name, said=said, manner=_MANNERS[letter])

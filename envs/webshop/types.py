"""The records of the shop and the two protocols that a source of products fills in.

A `Catalogue` is read-only and shared: one per process, thousands of sessions look at it. Products
are named by their index; an index is stable for the life of a catalogue, and for equal sources in
every process. Real files, the synthetic generator and the memory-mapped store all are catalogues.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

Field = Literal["attribute", "category", "query"]
"""What the special search words `<a>`, `<c>` and `<q>` look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One article, as its pages show it."""

    asin: str
    """Product id: upper case, at most ten characters, unique in a catalogue."""
    title: str
    description: str
    bullets: tuple[str, ...]
    """Lines of the Features page."""
    price_text: str
    """As printed: `$5.0`, or `$5.0 to $9.5`."""
    prices: tuple[float, ...]
    """One number, or the two ends of a range; none counts as 100."""
    category: str
    """Shop section, such as `beauty`."""
    query: str
    """The search, in lower case, that the product was collected with."""
    product_category: str
    """Levels from wide to narrow, joined by U+203A with a space on both sides."""
    options: tuple[tuple[str, tuple[str, ...]], ...]
    """Option groups in page order: (name, values), all in lower case."""
    attributes: tuple[str, ...]
    """Short phrases that goals may ask for; only the Attributes page shows them."""
    rating: str = "N.A."


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What one customer wants, and the product that the wish was written for."""

    id: str
    """Name of the task, stable for equal sources: `B09G9V3G1N/0`."""
    asin: str
    """Product the goal was made of; its title, query and categories are compared with the buy."""
    text: str
    """The instruction with its price clause, as the pages show it."""
    attributes: tuple[str, ...]
    options: tuple[str, ...]
    """Wanted option values."""
    option_names: tuple[str, ...] = ()
    """Option name of each value, in the dict form of WebShop's synthetic goals; empty in the
    list form of human goals, where a value is compared without its name."""
    price_upper: float = 1_000_000.0
    """Highest accepted price."""
    weight: float = 1.0
    """How often WebShop draws the goal; kept for reports."""


class Goals(Protocol):
    """The goals of a catalogue in their shuffled order, parted into splits."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Goal: ...

    def index_of(self, goal_id: str) -> int:
        """Position of the goal with this id. Raises `KeyError`."""
        ...

    def split(self, name: str) -> Sequence[int]:
        """Positions of a split: `train`, `dev` or `test`. Raises `KeyError` for other names."""
        ...


@runtime_checkable
class Catalogue(Protocol):
    """Products that can be read by index, searched, and asked for."""

    @property
    def goals(self) -> Goals:
        """What customers ask for."""
        ...

    def __len__(self) -> int: ...

    def product(self, index: int) -> Product:
        """The product at this index, 0 to len - 1."""
        ...

    def index_of(self, asin: str) -> int:
        """Index of the product with this id. Raises `KeyError`."""
        ...

    def search(self, keywords: str) -> tuple[int, ...]:
        """Ranking of at most 50 products, best first; those that match no word are left out."""
        ...

    def where(self, field: Field, value: str) -> tuple[int, ...]:
        """All products whose category or query equals `value`, or that have the attribute."""
        ...

    def nouns(self, index: int) -> tuple[str, ...]:
        """Nouns of the title in lower case, repeats kept."""
        ...

    def price(self, index: int) -> float:
        """The price that counts: of a range one number, the same for ever."""
        ...

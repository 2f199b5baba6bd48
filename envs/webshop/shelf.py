"""`Shelf`: a catalogue in memory. Read-only, one per process, shared by all sessions."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from .goals import Pricing
from .nouns import NounRule, title_nouns
from .prices import price_of
from .search import Ranker, document
from .types import Field, Goals, Product


class Shelf:
    """Products and goals held as records; the search index is built at the first search."""

    def __init__(
        self,
        products: Sequence[Product],
        goals: Goals,
        *,
        noun_rule: NounRule = title_nouns,
        pricing: Pricing = price_of,
    ) -> None:
        self.goals = goals
        self._products = tuple(products)
        self._places = {product.asin: index for index, product in enumerate(self._products)}
        self._nouns = tuple(noun_rule(product.title) for product in self._products)
        self._prices = tuple(pricing(product) for product in self._products)

    def __len__(self) -> int:
        return len(self._products)

    def product(self, index: int) -> Product:
        """The product at this index, 0 to len - 1."""
        return self._products[index]

    def index_of(self, asin: str) -> int:
        """Index of the product with this id. Raises `KeyError`."""
        return self._places[asin]

    def search(self, keywords: str) -> tuple[int, ...]:
        """Ranking of at most 50 products, best first; those that match no word are left out."""
        return self._ranker.top(keywords)

    def where(self, field: Field, value: str) -> tuple[int, ...]:
        """All products whose category or query equals `value`, or that have the attribute."""
        return self._listed.get((field, value), ())

    def nouns(self, index: int) -> tuple[str, ...]:
        """Nouns of the title in lower case, repeats kept."""
        return self._nouns[index]

    def price(self, index: int) -> float:
        """The price that counts: of a range one number, the same for ever."""
        return self._prices[index]

    @cached_property
    def _ranker(self) -> Ranker:
        return Ranker.build(map(document, self._products))

    @cached_property
    def _listed(self) -> dict[tuple[Field, str], tuple[int, ...]]:
        found: defaultdict[tuple[Field, str], list[int]] = defaultdict(list)
        for index, product in enumerate(self._products):
            found["category", product.category].append(index)
            found["query", product.query].append(index)
            for attribute in dict.fromkeys(product.attributes):
                found["attribute", attribute].append(index)
        return {key: tuple(indices) for key, indices in found.items()}

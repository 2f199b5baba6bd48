"""What a purchase is worth: product type times the share of wishes that it fulfils.

    score = type * (attributes + options + price) / (wished attributes + wished options + 1)

WebShop's quirks are kept. Its synthetic goals compare each option value together with the option's
name, so that large passes for x-large and some exact choices fail; `fix_option_match` compares
values alone, as human goals do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .colors import base_color, paired_color
from .likeness import alike
from .types import Catalogue, Goal, Product

_CATEGORY_MARK = "\u203a"
_SAME_LEVELS = 2
_TITLE_MATCH, _TITLE_LOW = 0.2, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A purchase judged, with the parts of its score."""

    score: float
    """0 to 1."""
    attributes: int
    """Wished attributes found."""
    options: int
    """Wished option values chosen."""
    price: bool
    """Not above the bound."""
    kind: float
    """Product type: 1, 0.5, 0.1 or 0."""
    title_score: float
    query_match: bool
    category_match: bool

    @property
    def won(self) -> bool:
        """Nothing is missing."""
        return self.score == 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How far the bought product is of the kind that was wished for."""

    kind: float
    title_score: float
    query_match: bool
    category_match: bool


def judge(
    shop: Catalogue,
    goal: Goal,
    bought: int,
    chosen: Sequence[str],
    *,
    fix_option_match: bool = False,
) -> Verdict:
    """Score buying the product at index `bought` with the chosen option values."""
    kind = likeness(shop, bought, shop.index_of(goal.asin))
    attributes = _attributes_found(shop.product(bought), goal)
    options = _options_found(_wished(goal, fix_option_match), chosen)
    price = shop.price(bought) <= goal.price_upper
    wishes = len(goal.attributes) + len(goal.options) + 1
    return Verdict(
        score=(attributes + options + price) / wishes * kind.kind,
        attributes=attributes,
        options=options,
        price=price,
        kind=kind.kind,
        title_score=kind.title_score,
        query_match=kind.query_match,
        category_match=kind.category_match,
    )


def likeness(shop: Catalogue, bought: int, wished: int) -> Likeness:
    """Compare two products by the search they came from, their categories and title nouns."""
    left, right = shop.product(bought), shop.product(wished)
    query = left.query == right.query
    category = len(_levels(left) & _levels(right)) >= _SAME_LEVELS
    title = _title_score(shop.nouns(bought), shop.nouns(wished))
    kind = 1.0 if query or category or title > _TITLE_MATCH else 0.5
    if title < _TITLE_LOW:
        # these two override a match of query or category
        kind = 0.1 if title > 0 else 0.0
    return Likeness(kind=kind, title_score=title, query_match=query, category_match=category)


def _title_score(bought: Sequence[str], wished: Sequence[str]) -> float:
    """Common nouns per wished noun; repeats count below the line only."""
    return len({*bought} & {*wished}) / len(wished) if wished else _TITLE_MATCH


def _levels(product: Product) -> set[str]:
    return {level.strip() for level in product.product_category.split(_CATEGORY_MARK)}


def _attributes_found(bought: Product, goal: Goal) -> int:
    texts = (bought.title, " ".join(bought.bullets), bought.description)
    lowered = tuple(text.lower() for text in texts)
    return sum(
        any(alike(known, wished) for known in bought.attributes)
        or any(wished in text for text in lowered)
        for wished in goal.attributes
    )


def _wished(goal: Goal, fix_option_match: bool) -> tuple[str, ...]:
    """Wished option values in the form that they are compared in."""
    if fix_option_match or not goal.option_names:
        return tuple(base_color(value) for value in goal.options)
    pairs = zip(goal.option_names, goal.options, strict=True)
    return tuple(paired_color(name, value) for name, value in pairs)


def _options_found(wished: Sequence[str], chosen: Sequence[str]) -> int:
    bases = tuple(base_color(value) for value in chosen)
    return sum(any(alike(base, value) for base in bases) for value in wished)

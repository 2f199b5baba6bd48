"""The synthetic shop: families of near-duplicates, drawn from a seed, in any number.

A family is one article and 4 to 8 others that differ from it in exactly one of an attribute, the
options or the price (each has a brand and a model of its own). What a goal asks for rules at least
one member of its family out. Products come as a stream: a million take no more memory than ten.
The same seed gives the same bytes in every process.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import BadOption
from ..types import digest
from .goals import SPLITS, GoalList
from .shelf import Shelf
from .tables import Kind, Phrase, kinds
from .types import Goal, Product
from .wishes import family_goals
from .writing import Article, Wording, product_of

VERSION = "1"
"""Changes with every change of a product's or a goal's bytes."""
DEFAULT_SIZE = 2_000
_ID_SPACE = 36**8
_ID_STRIDE = 1_689_215_734_351
"""Without a common divisor with the id space, so that ids do not meet."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NEAR_DUPLICATES = (4, 8)
_RANGE_EVERY = 12
_SPREAD = 1.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An article and its near-duplicates."""

    kind: Kind
    products: tuple[Product, ...]


def families(seed: int, size: int) -> Iterator[Family]:
    """The products of a shop, `size` in all, family by family.

    Raises `BadOption` for fewer than two products: a family has no less.
    """
    if size < 2:
        raise BadOption(f"a synthetic shop has at least 2 products, got size={size}")
    shop = random.Random(f"{VERSION}:{seed}")
    order = list(kinds())
    shop.shuffle(order)
    offset, number, first = shop.randrange(_ID_SPACE), 0, 0
    while first < size:
        rng = random.Random(f"{VERSION}:{seed}:{number}")
        count = _members(rng.randint(*_NEAR_DUPLICATES) + 1, size - first)
        ids = [_asin(offset + (first + i) * _ID_STRIDE) for i in range(count)]
        yield _family(order[number % len(order)], ids, rng)
        number, first = number + 1, first + count


def products(seed: int = 0, size: int = DEFAULT_SIZE) -> Iterator[Product]:
    """The products of a shop one after the other."""
    return (product for family in families(seed, size) for product in family.products)


def goals(seed: int = 0, size: int = DEFAULT_SIZE) -> Iterator[Goal]:
    """The goals of a shop, in product order, `GOALS_PER_PRODUCT` for each."""
    tag = f"{VERSION}:{seed}"
    return (goal for f in families(seed, size) for goal in family_goals(f.kind, f.products, tag))


def split_of(seed: int, goal_id: str) -> str:
    """The split a goal belongs to: a tenth each is `test` and `dev`, the rest is `train`."""
    tenth = int(digest([VERSION, seed, goal_id])[:12], 16) % 10
    return {0: "test", 1: "dev"}.get(tenth, "train")


def shop_splits(seed: int, goal_ids: list[str]) -> dict[str, tuple[int, ...]]:
    """Positions of the goals of each split."""
    names = [split_of(seed, goal_id) for goal_id in goal_ids]
    return {split: tuple(i for i, name in enumerate(names) if name == split) for split in SPLITS}


@lru_cache(maxsize=4)
def synthetic_shop(seed: int = 0, size: int = DEFAULT_SIZE) -> Shelf:
    """A whole shop in memory with its goals; made once per process and shared.

    Beyond some ten thousand products write it into a store and open that.
    """
    drawn = list(families(seed, size))
    tag = f"{VERSION}:{seed}"
    wanted = [goal for f in drawn for goal in family_goals(f.kind, f.products, tag)]
    random.Random(f"{tag}:order").shuffle(wanted)
    splits = shop_splits(seed, [goal.id for goal in wanted])
    return Shelf([product for f in drawn for product in f.products], GoalList(wanted, splits))


def _members(drawn: int, left: int) -> int:
    """The family's size: never so that a single product is left for the last one."""
    if drawn >= left:
        return left
    return drawn + 1 if left - drawn == 1 else drawn


def _asin(number: int) -> str:
    number %= _ID_SPACE
    digits = ""
    for _ in range(8):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"B0{digits}"


def _family(kind: Kind, ids: list[str], rng: random.Random) -> Family:
    base, wording = _article(kind, rng), Wording.draw(rng)
    articles = [base, _other_attribute(base, rng)]
    changes = (_other_attribute, _other_options, _other_price)
    while len(articles) < len(ids):
        articles.append(changes[(len(articles) - 1) % 3](base, rng))
    listed = zip(articles[: len(ids)], ids, strict=True)
    products = tuple(product_of(article, asin, wording, rng) for article, asin in listed)
    return Family(kind=kind, products=products)


def _article(kind: Kind, rng: random.Random) -> Article:
    low, high = math.log(kind.low), math.log(kind.high)
    price = _ending(math.exp(rng.uniform(low, high)), rng)
    ranged = rng.randrange(_RANGE_EVERY) == 0
    return Article(
        kind=kind,
        phrases=tuple(rng.sample(kind.phrases, rng.randint(3, 6))),
        options=tuple((name, _subset(values, rng)) for name, values in kind.groups),
        prices=(price, _ending(price * _SPREAD, rng)) if ranged else (price,),
    )


def _subset(values: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    """Some of the values, in table order: six or more where there are that many."""
    least = 6 if len(values) > 6 else min(3, len(values))
    chosen = rng.sample(range(len(values)), rng.randint(least, len(values)))
    return tuple(values[i] for i in sorted(chosen))


def _other_attribute(base: Article, rng: random.Random) -> Article:
    """One attribute changed for another that the base does not have."""
    others: list[Phrase] = [phrase for phrase in base.kind.phrases if phrase not in base.phrases]
    at = rng.randrange(len(base.phrases))
    changed = (*base.phrases[:at], rng.choice(others), *base.phrases[at + 1 :])
    return replace(base, phrases=changed)


def _other_options(base: Article, rng: random.Random) -> Article:
    """One group offers other values: one fewer, and another in its place where there is one."""
    at = rng.randrange(len(base.options))
    name, values = base.options[at]
    every = dict(base.kind.groups)[name]
    unused = [value for value in every if value not in values]
    gone = rng.choice(values)
    kept = {*values, *rng.sample(unused, min(1, len(unused)))} - {gone}
    group = (name, tuple(value for value in every if value in kept))
    return replace(base, options=(*base.options[:at], group, *base.options[at + 1 :]))


def _other_price(base: Article, rng: random.Random) -> Article:
    """Dearer by a half to three times, by eleven dollars at least."""
    low = base.prices[0]
    dearer = max(low * rng.uniform(1.5, 3.0), low + 11.0)
    prices = tuple(_ending(price * dearer / low, rng) for price in base.prices)
    return replace(base, prices=prices)


def _ending(price: float, rng: random.Random) -> float:
    return round(math.floor(price) + rng.choice((0.99, 0.95, 0.49, 0.0)), 2)

"""Goals: what a customer asks for, made from instructions about single products.

Synthetic goals combine one instruction with every choice of options; human goals were written by
people for one choice. `GoalList` holds them in WebShop's shuffled order, cut into its splits.
"""

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import BadOption, near
from .errors import CatalogueError
from .prices import price_bound
from .types import Goal, Goals, Product

SPLITS = ("train", "dev", "test")
_SHUFFLE_SEED = 233
_TEST_END, _DEV_END = 500, 1_500
MOST_CHOICES = 100_000
"""Most goals that are made of one instruction."""

Pricing = Callable[[Product], float]
"""From a product to the price that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One wish as the files hold it, before options and a price bound are added."""

    text: str
    attributes: tuple[str, ...]
    options: tuple[str, ...] = ()
    """Wanted option values; human instructions only."""


def synthetic_goals(
    products: Iterable[Product], instructions: Mapping[str, Instruction], pricing: Pricing
) -> tuple[Goal, ...]:
    """One goal per choice of options of each product that has an instruction, in file order."""
    wishes = ((product, instructions.get(product.asin)) for product in products)
    goals = [
        goal
        for product, wish in wishes
        if wish is not None and wish.attributes
        for goal in _combined(product, wish, pricing(product))
    ]
    return _weighted(goals)


def human_goals(
    products: Iterable[Product],
    instructions: Mapping[str, Sequence[Instruction]],
    pricing: Pricing,
) -> tuple[Goal, ...]:
    """One goal per human instruction; those that ask for no attribute are left out."""
    return tuple(
        _written(product, number, wish, pricing(product))
        for product in products
        for number, wish in enumerate(instructions.get(product.asin, ()))
        if wish.attributes
    )


def shuffled(goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """Goals in the order that WebShop's fixed seed puts them in."""
    order = list(goals)
    random.Random(_SHUFFLE_SEED).shuffle(order)
    return tuple(order)


class GoalList:
    """Goals in memory, with their splits; by default those of the WebShop paper."""

    def __init__(
        self, goals: Sequence[Goal], splits: Mapping[str, Sequence[int]] | None = None
    ) -> None:
        self._goals = tuple(goals)
        self._splits = dict(paper_splits(len(goals)) if splits is None else splits)
        self._places = {goal.id: index for index, goal in enumerate(self._goals)}

    def __len__(self) -> int:
        return len(self._goals)

    def __getitem__(self, index: int, /) -> Goal:
        return self._goals[index]

    def index_of(self, goal_id: str) -> int:
        """Position of the goal with this id. Raises `KeyError`."""
        return self._places[goal_id]

    def split(self, name: str) -> Sequence[int]:
        """Positions of a split: `train`, `dev` or `test`. Raises `KeyError` for other names."""
        return self._splits[name]


def paper_splits(count: int) -> dict[str, range]:
    """The first 500 goals test, the next 1,000 develop, the rest train."""
    cuts = (0, min(_TEST_END, count), min(_DEV_END, count), count)
    ranges = itertools.starmap(range, itertools.pairwise(cuts))
    return dict(zip(reversed(SPLITS), ranges, strict=True))


def parts(goals: Goals, split: str) -> tuple[Sequence[int], ...]:
    """Positions of a split, or of several joined with `+`. Raises `BadOption`, also for none."""
    names = split.split("+")
    unknown = [name for name in names if name not in SPLITS]
    if unknown or len({*names}) < len(names):
        hint = near((unknown or names)[0], SPLITS) if unknown else ""
        raise BadOption(
            f"WebShop-v0 has no split {split!r}.{hint} Its splits: {', '.join(SPLITS)}, or several "
            "different ones joined with '+'"
        )
    found = tuple(goals.split(name) for name in names)
    if not any(found):
        sizes = ", ".join(f"{name} {len(goals.split(name))}" for name in SPLITS)
        raise BadOption(f"the split {split!r} of this shop is empty; goals per split: {sizes}")
    return found


def position(chosen: Sequence[Sequence[int]], number: int) -> int:
    """Member `number` of joined splits, counted round."""
    number %= sum(map(len, chosen))
    for part in chosen:
        if number < len(part):
            return part[number]
        number -= len(part)
    raise IndexError(number)


def _combined(product: Product, wish: Instruction, price: float) -> Iterable[Goal]:
    bound, clause = price_bound(product.asin, price)
    groups = sorted(product.options)
    names = tuple(name for name, _ in groups)
    choices = math.prod(len(values) for _, values in groups)
    if choices > MOST_CHOICES:
        raise CatalogueError(
            f"product {product.asin}: its options can be combined in {choices} ways and each makes "
            f"a goal; at most {MOST_CHOICES} are accepted, leave out its instruction or options"
        )
    for number, values in enumerate(itertools.product(*(values for _, values in groups))):
        asked = ", and ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
        yield Goal(
            id=f"{product.asin}/{number}",
            asin=product.asin,
            text=f"{wish.text}{' with ' * bool(asked)}{asked}{clause}",
            attributes=wish.attributes,
            options=values,
            option_names=names,
            price_upper=bound,
        )


def _written(product: Product, number: int, wish: Instruction, price: float) -> Goal:
    goal_id = f"{product.asin}/{number}"
    bound, clause = price_bound(goal_id, price)
    return Goal(
        id=goal_id,
        asin=product.asin,
        text=wish.text.strip(".") + clause,
        attributes=wish.attributes,
        options=wish.options,
        price_upper=bound,
    )


def _weighted(goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """Goals with rare attributes weigh more: the mean of 1/count over their attributes."""
    counts = Counter(attribute for goal in goals for attribute in goal.attributes)
    weights = (
        sum(1 / counts[attribute] for attribute in goal.attributes) / len(goal.attributes)
        for goal in goals
    )
    return tuple(replace(goal, weight=weight) for goal, weight in zip(goals, weights, strict=True))

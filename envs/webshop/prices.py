"""What a product costs and which bound its customer sets.

WebShop draws both from an unseeded generator; here each draw is seeded by the product's id, so
that a price does not depend on the order, the size or the process of a catalogue.
"""

import random

from .types import Product

NO_BOUND = 1_000_000.0
"""The bound of a customer who names none."""
_UNKNOWN_PRICE = 100.0
_STEPS = tuple(10.0 * step for step in range(1, 100))
_NEAREST = 4


def price_of(product: Product) -> float:
    """The price that counts: 100 where none is known, a seeded number within a range."""
    if len(product.prices) < 2:
        return product.prices[0] if product.prices else _UNKNOWN_PRICE
    low, high = product.prices[:2]
    return random.Random(f"price:{product.asin}").uniform(low, high)


def midpoint_of(product: Product) -> float:
    """As `price_of`, with the middle of a range in place of a drawn number."""
    if len(product.prices) < 2:
        return price_of(product)
    return (product.prices[0] + product.prices[1]) / 2


def price_bound(seed: str, price: float) -> tuple[float, str]:
    """A bound a little above the price, and the words that end the instruction with it."""
    above = [step for step in _STEPS if step > price][:_NEAREST]
    if len(above) < 2:
        return NO_BOUND, ""
    bound = max(random.Random(f"bound:{seed}").sample(above, 2))
    return bound, f", and price lower than {bound:.2f} dollars"

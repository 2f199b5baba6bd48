"""How alike two texts are, by rapidfuzz. The only file that knows it."""

from collections.abc import Callable
from functools import cache, lru_cache

from ..errors import need

_ALIKE = 85


@lru_cache(maxsize=16_384)
def alike(left: str, right: str) -> bool:
    """Whether the token set ratio, rounded as WebShop's thefuzz rounds it, is above 85."""
    return token_set_ratio(left, right) > _ALIKE


def token_set_ratio(left: str, right: str) -> int:
    """Share of common words of two texts, 0 to 100; case and punctuation do not count."""
    return round(_ratio()(left, right))


@cache
def _ratio() -> Callable[[str, str], float]:
    need("rapidfuzz", "webshop")
    from rapidfuzz import fuzz, utils

    def ratio(left: str, right: str) -> float:
        return fuzz.token_set_ratio(left, right, processor=utils.default_process)

    return ratio

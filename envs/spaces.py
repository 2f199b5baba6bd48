"""A Gymnasium space of any Unicode text, since `gymnasium.spaces.Text` fixes a small alphabet."""

import gymnasium
import numpy as np
from numpy.typing import NDArray

from . import gymnasium_ids

_SAMPLE_ALPHABET = "abcdefghijklmnopqrstuvwxyz 0123456789"


class UnicodeText(gymnasium.Space[str]):
    """Every `str` of at most `max_length` characters that encodes to UTF-8."""

    def __init__(self, max_length: int = 65_536, seed: int | None = None) -> None:
        self.max_length = max_length
        super().__init__(shape=None, dtype=str, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no fixed-size vector form."""
        return False

    def sample(self, mask: object = None, probability: object = None) -> str:
        """A short random line; masks do not apply to open text."""
        if mask is not None or probability is not None:
            raise ValueError("UnicodeText.sample takes no mask: its elements cannot be listed")
        length = int(self.np_random.integers(1, min(self.max_length, 32) + 1))
        letters: NDArray[np.int64] = self.np_random.integers(0, len(_SAMPLE_ALPHABET), size=length)
        return "".join(_SAMPLE_ALPHABET[int(i)] for i in letters)

    def contains(self, x: object) -> bool:
        """Whether `x` is encodable text within the length limit."""
        if not isinstance(x, str) or len(x) > self.max_length:
            return False
        return not any("\ud800" <= char <= "\udfff" for char in x)

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and other.max_length == self.max_length


gymnasium_ids.settle()

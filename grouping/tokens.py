"""Between turns and tokens: for trainers that hold one row of tokens per trajectory.

`Spans.of(mask)` reads the turns of a batch from its mask of sampled tokens: every unbroken run is
one turn. `spread` puts one number per turn onto its tokens, `sum` collects token rewards per turn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import BadColumns
from .types import FloatRows, IntRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The turns of a token batch, row by row in time order."""

    row: IntRows
    """Token row of each turn."""
    turn: IntRows
    """Turns before it in its row."""
    start: IntRows
    """First sampled token."""
    stop: IntRows
    """One past the last sampled token."""
    shape: tuple[int, int]

    @classmethod
    def of(cls, mask: ArrayLike) -> "Spans":
        """Turns of a mask (rows, tokens) that is true on sampled tokens."""
        marks = np.asarray(mask) != 0
        if marks.ndim != 2:
            raise BadColumns(f"a token mask has the axes (row, token), got shape {marks.shape}")
        padded = np.pad(marks, ((0, 0), (1, 1))).astype(np.int8)
        row, start = np.nonzero(np.diff(padded, axis=1) == 1)
        _, stop = np.nonzero(np.diff(padded, axis=1) == -1)
        per_row = np.bincount(row, minlength=len(marks))
        turn = np.arange(len(row)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
        return cls(row=row, turn=turn, start=start, stop=stop, shape=(len(marks), marks.shape[1]))

    def __len__(self) -> int:
        return len(self.row)

    def spread(self, values: FloatRows) -> NDArray[np.float64]:
        """One value per turn on each of its tokens, 0 on all others."""
        if len(values) != len(self):
            raise BadColumns(f"expected {len(self)} values, one per turn, got {len(values)}")
        tokens = np.zeros(self.shape)
        flat = tokens.reshape(-1)
        lengths = self.stop - self.start
        first = np.repeat(self.row * self.shape[1] + self.start, lengths)
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        flat[first + within] = np.repeat(values, lengths)
        return tokens

    def sum(self, token_values: ArrayLike) -> FloatRows:
        """Per turn, the sum from its first token to the next turn's, so that what the world paid
        while it answered belongs to the turn before; what precedes the first turn is dropped."""
        values = np.asarray(token_values, np.float64)
        if values.shape != self.shape:
            raise BadColumns(f"expected token values of shape {self.shape}, got {values.shape}")
        upto = np.pad(np.cumsum(values, axis=1), ((0, 0), (1, 0)))
        end = np.full(len(self), self.shape[1])
        same = self.row[1:] == self.row[:-1]
        end[:-1][same] = self.start[1:][same]
        return upto[self.row, end] - upto[self.row, self.start]

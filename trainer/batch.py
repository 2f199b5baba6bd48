"""Token rows to batches: what one forward pass holds, and where in it the trained tokens are.

In come sampled episodes with one advantage per turn, or demonstrations; out go right-padded
batches of token ids with flat vectors over the trained tokens. Nothing here tokenises: the ids are
those that were sampled, and position p of a row is predicted from the hidden state at p - 1.

Legend: R rows of a batch, T padded positions, K trained tokens of a batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..grouping import Group, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Span:
    """The sampled tokens of one turn inside a row."""

    start: int
    """First trained position, at least 1: something must predict it."""
    stop: int
    turn: int
    """Number of the turn within the iteration."""
    advantage: float
    """The turn's; in demonstrations the weight of the span's tokens."""
    logprobs: NDArray[np.float32]
    """Log-probability each token was drawn with, length `stop - start`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One context: token ids and the spans of it that are trained."""

    ids: NDArray[np.int32]
    spans: tuple[Span, ...]

    @property
    def trained(self) -> int:
        """Number of trained tokens."""
        return sum(span.stop - span.start for span in self.spans)

    @property
    def weight(self) -> float:
        """Trained tokens of a demonstration, each times its weight."""
        return sum((span.stop - span.start) * span.advantage for span in self.spans)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Rows of one forward and backward pass."""

    ids: Tensor
    """Token ids `[R, T]`, padded on the right, so that causal attention needs no mask."""
    src: Tensor
    """Index into the flattened `[R * T]` hidden states that predicts each trained token `[K]`."""
    tgt: Tensor
    """The trained token ids `[K]`."""
    turn: Tensor
    """Number of the turn each token belongs to `[K]`."""
    advantage: Tensor
    """The turn's advantage `[K]`, float32."""
    logp_sampler: Tensor
    """Log-probability at sampling time `[K]`, float32."""

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        moved = {name: getattr(self, name).to(device) for name in Batch.__slots__}
        return Batch(**moved)


Episode = tuple[Row, ...]
"""The rows of one trajectory: one in `append` contexts, one per turn in `window` contexts."""


def episode_rows(groups: Sequence[Group], advantages_K: NDArray[np.float64]) -> list[Episode]:
    """Rows of every counted trajectory; advantages stand in the order of `Steps.from_groups`.

    Raises `ValueError` when there is not exactly one advantage per turn.
    """
    episodes: list[Episode] = []
    turn = 0
    for trajectory in (t for group in groups for t in group.trajectories):
        stop = turn + len(trajectory.turns)
        episodes.append(_rows_of(trajectory, advantages_K[turn:stop], turn))
        turn = stop
    if turn != len(advantages_K):
        raise ValueError(f"advantages must match turns: got {len(advantages_K)}, expected {turn}")
    return episodes


def _rows_of(trajectory: Trajectory, advantages: NDArray[np.float64], first: int) -> Episode:
    spans: list[list[Span]] = [[] for _ in trajectory.rows]
    for offset, (turn, advantage) in enumerate(zip(trajectory.turns, advantages, strict=True)):
        if turn.stop > turn.start:
            spans[turn.row].append(
                Span(
                    start=turn.start,
                    stop=turn.stop,
                    turn=first + offset,
                    advantage=float(advantage),
                    logprobs=turn.logprobs,
                )
            )
    return tuple(
        Row(ids=ids, spans=tuple(own)) for ids, own in zip(trajectory.rows, spans, strict=True)
    )


def without_idle_turns(rows: Iterable[Row]) -> list[Row]:
    """Leave out spans whose advantage is exactly 0 and rows that then train nothing.

    Their gradient is zero, so only work is saved; denominators are counted before.
    """
    kept = (replace(row, spans=tuple(s for s in row.spans if s.advantage)) for row in rows)
    return [row for row in kept if row.spans]


def pack(rows: Sequence[Row], bin_tokens: int) -> tuple[Batch, ...]:
    """Batches of at most `bin_tokens` padded positions, rows of like length together.

    A row longer than that is a batch of its own. Rows that train nothing are left out. The split
    changes the speed and the rounding, never what is summed.
    """
    order = sorted((row for row in rows if row.spans), key=_length)
    bins: list[list[Row]] = []
    for row in order:
        if not bins or _length(row) * (len(bins[-1]) + 1) > bin_tokens:
            bins.append([])
        bins[-1].append(row)
    return tuple(_batch(rows) for rows in bins)


def _length(row: Row) -> int:
    return row.spans[-1].stop


def _batch(rows: Sequence[Row]) -> Batch:
    width = max(_length(row) for row in rows)
    ids = np.zeros((len(rows), width), np.int64)
    spans: list[tuple[int, Row, Span]] = []
    for index, row in enumerate(rows):
        length = _length(row)
        ids[index, :length] = row.ids[:length]
        spans += [(index * width, row, span) for span in row.spans]
    lengths = [span.stop - span.start for _, _, span in spans]
    return Batch(
        ids=torch.from_numpy(ids),
        src=_flat([base + np.arange(s.start, s.stop) - 1 for base, _, s in spans], np.int64),
        tgt=_flat([row.ids[s.start : s.stop] for _, row, s in spans], np.int64),
        turn=_flat([np.repeat([s.turn for _, _, s in spans], lengths)], np.int64),
        advantage=_flat([np.repeat([s.advantage for _, _, s in spans], lengths)], np.float32),
        logp_sampler=_flat([s.logprobs for _, _, s in spans], np.float32),
    )


def _flat(parts: Sequence[NDArray[np.generic]], kind: type) -> Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(kind))

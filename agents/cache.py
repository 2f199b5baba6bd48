"""Keys and values of many contexts, one slot each, and attention between packed tokens and slots.

A forward pass carries the next tokens of several contexts back to back as one row without padding:
everything per token (projections, norms, MLP) costs what the tokens cost. Only attention needs to
know which token belongs to whom: `Layout` says where each token's keys and values are written, and
how the queries spread over a `[rows, width]` grid in front of the cached keys of their slots.
Axes: N packed tokens, B chunks, R rows of the grid, W its width, T cached positions, H heads,
D head size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import AttentionInterface

ATTENTION = "gigym_slots"
"""Name of `slot_attention` among transformers' attention functions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The next tokens of one context."""

    slot: int
    start: int
    """Position of the first of them."""
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the packed tokens of one forward pass belong."""

    ids_N: Tensor
    slots_N: Tensor
    positions_N: Tensor
    places_N: Tensor | None
    """Cell of each query in the flattened grid; None when tokens and cells are the same."""
    last_B: Tensor
    """Index of each chunk's last token."""
    width: int
    rows: slice | Tensor
    """Slots in front of which the grid's rows stand."""
    mask_R1WT: Tensor
    """Keys each query may see: those at its own position and before."""

    def visible(self, states: Tensor) -> Tensor:
        """Cached states in front of the grid, `[R, heads, T, D]`."""
        states = states[:, :, : self.mask_R1WT.shape[-1]]
        if isinstance(self.rows, slice):
            return states[self.rows]
        return states.index_select(0, self.rows)

    def spread(self, query_1HND: Tensor) -> Tensor:
        """Queries on the grid, `[R, H, W, D]`."""
        query_NHD = query_1HND[0].transpose(0, 1)
        rows = self.mask_R1WT.shape[0]
        if self.places_N is not None:
            cells = query_NHD.new_zeros(rows * self.width, *query_NHD.shape[1:])
            query_NHD = cells.index_copy_(0, self.places_N, query_NHD)
        return query_NHD.unflatten(0, (rows, self.width)).transpose(1, 2)

    def collect(self, output_RWHD: Tensor) -> Tensor:
        """What attention gave each packed token, `[1, N, H, D]`."""
        cells = output_RWHD.flatten(0, 1)
        return (cells if self.places_N is None else cells.index_select(0, self.places_N))[None]


def lay_out(chunks: Sequence[Chunk], device: torch.device) -> Layout:
    """The layout of chunks in ascending slot order.

    Slots that lie close together are read in place as one slice, idle ones among them included;
    scattered slots are copied out. Copying a row costs about what attending to it costs.
    """
    low, span = chunks[0].slot, chunks[-1].slot + 1 - chunks[0].slot
    dense = span <= 2 * len(chunks)
    height = span if dense else len(chunks)
    rows = [chunk.slot - low for chunk in chunks] if dense else range(height)
    width = max(len(chunk.ids) for chunk in chunks)
    length = max(chunk.start + len(chunk.ids) for chunk in chunks)
    columns = _columns(chunks, [row * width for row in rows])
    ids_N, slots_N, positions_N, places_N = torch.tensor(columns, device=device)
    # Cells without a token see the key at position 0, so that no softmax is over nothing.
    seen = positions_N.new_zeros(height * width).index_copy_(0, places_N, positions_N)
    mask = torch.arange(length, device=device) <= seen[:, None]
    ends = accumulate(len(chunk.ids) for chunk in chunks)
    slots_B = torch.tensor([chunk.slot for chunk in chunks], device=device)
    return Layout(
        ids_N=ids_N,
        slots_N=slots_N,
        positions_N=positions_N,
        places_N=None if len(ids_N) == height * width else places_N,
        last_B=torch.tensor([end - 1 for end in ends], device=device),
        width=width,
        rows=slice(low, low + span) if dense else slots_B,
        mask_R1WT=mask.view(height, 1, width, length),
    )


def _columns(chunks: Sequence[Chunk], cells: Sequence[int]) -> list[list[int]]:
    """Per packed token: its id, slot, position, and cell when each chunk starts at `cells`."""
    table: list[list[int]] = [[], [], [], []]
    ids, slots, positions, places = table
    for chunk, cell in zip(chunks, cells, strict=True):
        count = len(chunk.ids)
        ids += chunk.ids
        slots += [chunk.slot] * count
        positions += range(chunk.start, chunk.start + count)
        places += range(cell, cell + count)
    return table


class SlotLayer(CacheLayerMixin):
    """Keys and values of one layer, `[slots, heads, capacity, head size]`, allocated once."""

    is_sliding = False

    def __init__(self, slots: int, capacity: int) -> None:
        super().__init__()
        self._slots = slots
        self._capacity = capacity

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Allocate for heads and sizes like these; zeros, as even a masked NaN would spread."""
        self.keys, self.values = (
            states.new_zeros(self._slots, states.shape[1], self._capacity, states.shape[3])
            for states in (key_states, value_states)
        )
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Layout, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write each packed token to its place; answer with what the grid's rows can see."""
        (layout,) = args
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None and self.values is not None
        self.keys[layout.slots_N, :, layout.positions_N] = key_states[0].transpose(0, 1)
        self.values[layout.slots_N, :, layout.positions_N] = value_states[0].transpose(0, 1)
        return layout.visible(self.keys), layout.visible(self.values)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Not asked for: a prepared mask passes through."""
        return self._capacity, 0

    def get_seq_length(self) -> int:
        """Zero: positions are given, slots differ."""
        return 0

    def get_max_length(self) -> int:
        """Positions per slot."""
        return self._capacity

    get_max_cache_shape = get_max_length  # as older transformers 5 call it


class SlotCache(Cache):
    """The cache a model is handed; `layout` describes the tokens of the coming forward pass."""

    layout: Layout

    def __init__(self, layers: int, slots: int, capacity: int) -> None:
        self._slot_layers = [SlotLayer(slots, capacity) for _ in range(layers)]
        super().__init__(layers=list(self._slot_layers))

    @torch.inference_mode()
    def clear(self, slot: int) -> None:
        """Write zeros over a slot of every layer."""
        for layer in self._slot_layers:
            for states in (layer.keys, layer.values):
                if states is not None:
                    states[slot] = 0

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        layer_idx: int,
        *args: object,
        **kwargs: object,
    ) -> tuple[Tensor, Tensor]:
        """Hand the layer its states and the layout."""
        return self._slot_layers[layer_idx].update(key_states, value_states, self.layout)


def slot_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    *,
    layout: Layout,
    **options: Any,  # noqa: ANN401 - transformers' own, handed on
) -> tuple[Tensor, None]:
    """Attention of packed queries over slots; `layout` travels with the model's other options."""
    output, _ = sdpa_attention_forward(
        module, layout.spread(query), key, value, attention_mask, **options
    )
    return layout.collect(output), None


AttentionInterface.register(ATTENTION, slot_attention)

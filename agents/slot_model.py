"""A causal LM that continues many contexts at once: chunks of tokens in, next-token logits out.

The weights are the learner's own tensors. Only the modules around them are a second set, always in
evaluation mode and with the attention function of `cache.py`, so the learner's mode, attention and
threads are its own affair. Contexts live in slots; whoever calls keeps book of what lies where.
Models whose layers cannot be cached by position, or whose logits are more than the head's product,
are refused when they come in.
"""

import copy
from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig

from .cache import ATTENTION, Chunk, SlotCache, lay_out
from .errors import UnsupportedModel

_STATELESS_ROPE = {"default", "linear", "llama3", "yarn"}
"""Rotary embeddings that depend on the position alone, not on the longest one of a batch."""


class SlotModel:
    """The model with its slots."""

    def __init__(self, model: nn.Module, slots: int, capacity: int) -> None:
        """Raises `UnsupportedModel`."""
        if slots < 1 or capacity < 2:
            raise ValueError(f"expected slots >= 1 and max_model_len >= 2, got {slots}, {capacity}")
        refuse_unsupported(model, capacity)
        self.learner = model
        self.accept_weights()
        self._shape = (self._decoder.config.num_hidden_layers, slots, capacity)
        self._cache = SlotCache(*self._shape)
        self.device: torch.device = self._head.weight.device
        self.dtype: torch.dtype = self._head.weight.dtype
        self.vocabulary: int = self._head.weight.shape[0]
        self._refuse_other_logits()

    @property
    def exact(self) -> bool:
        """Whether equal inputs in equal batches give equal bits."""
        return self.device.type == "cpu" and self.dtype == torch.float32

    @torch.inference_mode()
    def logits(self, chunks: Sequence[Chunk]) -> Tensor:
        """Append each chunk to its slot's context; float32 logits after its last token.

        Chunks come in ascending slot order, each slot at most once.
        """
        layout = self._cache.layout = lay_out(chunks, self.device)
        hidden_1ND = self._decoder(
            input_ids=layout.ids_N[None],
            position_ids=layout.positions_N[None],
            attention_mask=layout.mask_R1WT,
            past_key_values=self._cache,
            use_cache=True,
            layout=layout,
        ).last_hidden_state
        return self._head(hidden_1ND[0, layout.last_B]).float()

    def clear(self, slot: int) -> None:
        """Write zeros over a slot."""
        self._cache.clear(slot)

    def free(self) -> None:
        """Give the cache's memory back; the next forward pass allocates it anew."""
        self._cache = SlotCache(*self._shape)

    def accept_weights(self) -> None:
        """Take the learner's present weights for the ones to run with."""
        twin = _twin(self.learner)
        twin.config._attn_implementation = ATTENTION
        self._decoder = twin.get_decoder()
        self._head = twin.get_output_embeddings()
        self._weights = tuple(twin.parameters())
        self._stamp = self._present_stamp()

    def weights_changed(self) -> bool:
        """Whether a parameter was written to since, as optimizers do."""
        return self._present_stamp() != self._stamp

    def _present_stamp(self) -> int:
        return sum(parameter._version for parameter in self._weights)

    @torch.inference_mode()
    def _refuse_other_logits(self) -> None:
        """Compare our path with the model's own on a few tokens, in two chunks."""
        count = min(self._shape[-1], 6)
        ids = tuple(token % self.vocabulary for token in range(count))
        batch = torch.tensor([ids], device=self.device)
        own = self.learner(batch, use_cache=False).logits[0, -1].float()
        self.logits([Chunk(slot=0, start=0, ids=ids[:1])])
        ours = self.logits([Chunk(slot=0, start=1, ids=ids[1:])])[0]
        close = 1e-3 if self.dtype == torch.float32 else 5e-2
        error = (own - ours).abs().max() / own.abs().max().clamp(min=1)
        if not error <= close:
            raise UnsupportedModel(
                f"{type(self.learner).__name__}: cached logits differ from the model's own by "
                f"{error:.2g}, expected at most {close}: its attention or head does more than "
                "this engine knows; use another engine"
            )


def _twin(model: nn.Module) -> Any:  # noqa: ANN401 - as dynamic as transformers' models are
    """The same modules over the same tensors, with a configuration and a mode of their own."""
    shared = {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())}
    return copy.deepcopy(model, shared).eval()


def refuse_unsupported(model: nn.Module, capacity: int) -> None:
    """Raise `UnsupportedModel` for what cannot be cached by position, and for dropout."""
    name = type(model).__name__
    # Asked by name, because wrappers such as adapters hand it through.
    decoder: Any = model.get_decoder() if hasattr(model, "get_decoder") else None  # pyright: ignore
    if not getattr(decoder, "_supports_attention_backend", False):
        raise UnsupportedModel(
            f"{name}: expected a causal LM of transformers whose attention can be chosen; "
            "use another model or engine"
        )
    config = decoder.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"]) - {"full_attention"}
    window = getattr(config, "sliding_window", None)
    if not kinds and window is not None and window < capacity:
        kinds = {f"sliding window of {window}"}
    if kinds:
        raise UnsupportedModel(
            f"{name}: expected layers of full attention, got {', '.join(sorted(kinds))}; "
            "use another model or engine"
        )
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    if rope not in _STATELESS_ROPE:
        raise UnsupportedModel(
            f"{name}: rope_type {rope!r} changes with the batch, so nothing can be cached; "
            f"expected one of {', '.join(sorted(_STATELESS_ROPE))}"
        )
    if capacity > config.max_position_embeddings:
        raise UnsupportedModel(
            f"max_model_len is {capacity}, but {name} knows {config.max_position_embeddings} "
            "positions; lower max_model_len"
        )
    _refuse_dropout(model, config)


def _refuse_dropout(model: nn.Module, config: PretrainedConfig) -> None:
    """The learner must compute what was sampled from."""
    found = {
        key: value
        for key, value in config.to_dict().items()
        if "drop" in key and isinstance(value, (int, float)) and value > 0
    }
    found |= {
        key: module.p
        for key, module in model.named_modules()
        if isinstance(module, nn.Dropout) and module.p > 0
    }
    if found:
        listed = ", ".join(f"{key}={value}" for key, value in found.items())
        raise UnsupportedModel(
            f"dropout must be 0 where a policy is trained on its own samples, got {listed}; "
            "set it to 0 in the model's config"
        )

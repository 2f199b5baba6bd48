"""Weights on their way to an engine: named tensors of a model, and safetensors parts of them.

The output head is always among the names, also where it is tied to the embedding: engines that load
an update without it keep their old head and say nothing.
"""

from collections.abc import Iterable, Iterator, Mapping

import safetensors.torch
import torch
from torch import Tensor, nn

from .engine import WeightSource
from .errors import PushError

HEAD = "lm_head.weight"
_EMBEDDING = "embed_tokens.weight"


class ModelWeights:
    """The present weights of a model, under the names of its checkpoint."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """The model's own tensors, a tied one under each of its names."""
        yield from self._model.state_dict().items()


class TensorWeights:
    """Tensors from elsewhere, such as a file. Raises `PushError` without an output head."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        refuse_headless(tensors)
        self._tensors = dict(tensors)

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        """As they came."""
        yield from self._tensors.items()


def refuse_headless(names: Iterable[str]) -> None:
    """Raise `PushError` where there is an embedding but no output head."""
    names = list(names)
    embedded = any(name.endswith(_EMBEDDING) for name in names)
    if embedded and not any(name.endswith(HEAD) for name in names):
        raise PushError(
            f"the weights have no {HEAD}: an engine would keep its old output head without a "
            "word; where it is tied to the embedding, send the embedding under this name too"
        )


@torch.no_grad()
def safetensors_parts(weights: WeightSource, most_bytes: int) -> Iterator[bytes]:
    """The weights as safetensors files of about `most_bytes`, at least one tensor in each."""
    part: dict[str, Tensor] = {}
    size = 0
    for name, tensor in weights:
        grown = tensor.numel() * tensor.element_size()
        if part and size + grown > most_bytes:
            yield safetensors.torch.save(part)
            part, size = {}, 0
        # A copy, because the format refuses tied tensors and the learner may go on meanwhile.
        part[name] = tensor.detach().to("cpu", copy=True).contiguous()
        size += grown
    if part:
        yield safetensors.torch.save(part)


def read_part(part: bytes) -> dict[str, Tensor]:
    """What `safetensors_parts` wrote."""
    return safetensors.torch.load(part)


@torch.no_grad()
def copy_weights(weights: WeightSource, model: nn.Module) -> int:
    """Write the weights into a model, all or none; bytes that were copied.

    Tensors that are the model's own are left alone. Raises `PushError` for names and shapes that
    are not the model's, before anything is written.
    """
    own = model.state_dict()
    news = dict(weights)
    faults = [f"no {name}" for name in own if name not in news]
    faults += [f"unknown {name}" for name in news if name not in own]
    faults += [
        f"{name} has shape {tuple(news[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in own.items()
        if name in news and news[name].shape != tensor.shape
    ]
    if faults:
        raise PushError(f"the weights do not fit the model: {'; '.join(faults[:5])}")
    foreign = {n: t for n, t in news.items() if t.data_ptr() != own[n].data_ptr()}
    for name, tensor in foreign.items():
        own[name].copy_(tensor)
    return sum(tensor.numel() * tensor.element_size() for tensor in foreign.values())

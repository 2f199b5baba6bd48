"""Weights keep their output head on every way to an engine."""

import pytest
import torch
from tiny_lm import engine_over, perturb, tiny_model

from gigym.agents import ModelWeights, PushError, TensorWeights
from gigym.agents.source import copy_weights, read_part, refuse_headless, safetensors_parts


@pytest.mark.parametrize("tied", [True, False])
def test_a_model_names_its_head_whether_it_is_tied_or_not(tied: bool) -> None:
    weights = dict(ModelWeights(tiny_model(tie_word_embeddings=tied)))
    assert "lm_head.weight" in weights
    shared = weights["lm_head.weight"].data_ptr() == weights["model.embed_tokens.weight"].data_ptr()
    assert shared == tied


def test_weights_without_a_head_are_refused() -> None:
    weights = dict(ModelWeights(tiny_model()))
    del weights["lm_head.weight"]
    with pytest.raises(PushError, match=r"no lm_head\.weight"):
        TensorWeights(weights)
    refuse_headless(["norm.weight"])


@pytest.mark.parametrize("most_bytes", [1, 20_000, 10**9])
def test_parts_hold_every_tensor_once_and_exactly(most_bytes: int) -> None:
    model = tiny_model()
    parts = list(safetensors_parts(ModelWeights(model), most_bytes))
    assert (len(parts) == 1) == (most_bytes == 10**9)
    found = {name: tensor for part in parts for name, tensor in read_part(part).items()}
    expected = dict(ModelWeights(model))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_copying_writes_all_or_nothing() -> None:
    model, other = tiny_model(), tiny_model()
    perturb(other)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    news = dict(ModelWeights(other))
    for faulty, fault in (
        ({**news, "model.norm.weight": torch.zeros(3)}, r"shape \(3,\), expected \(32,\)"),
        ({**news, "model.other": torch.zeros(3)}, r"unknown model\.other"),
        ({n: t for n, t in news.items() if n != "model.norm.weight"}, r"no model\.norm\.weight"),
    ):
        with pytest.raises(PushError, match=fault):
            copy_weights(TensorWeights(faulty), model)
        assert all(torch.equal(before[n], t) for n, t in model.state_dict().items())
    assert copy_weights(ModelWeights(other), model) > 0
    assert all(torch.equal(t, other.state_dict()[n]) for n, t in model.state_dict().items())
    assert copy_weights(ModelWeights(model), model) == 0


async def test_weights_of_another_model_are_copied_in() -> None:
    model, other = tiny_model(), tiny_model()
    perturb(other)
    async with engine_over(model) as engine:
        report = await engine.push_weights(ModelWeights(other), "7")
    assert report.bytes > 0
    assert torch.equal(model.state_dict()["lm_head.weight"], other.state_dict()["lm_head.weight"])

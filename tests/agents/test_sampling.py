"""The draw follows the distribution it reports."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gigym.agents import SamplingSpec
from gigym.agents.sampling import check_spec, draw, request_random

VOCABULARY = 12
DRAWS = 4000


def logits() -> Tensor:
    return 1.5 * torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(3))


def draws(spec: SamplingSpec, count: int = DRAWS) -> tuple[list[int], list[float]]:
    rng = request_random(17)
    rows = logits().expand(count, -1)
    return draw(rows, [spec] * count, [rng.random() for _ in range(count)])


def chi_square(tokens: Iterable[int], expected: Tensor) -> float:
    counts = Counter(tokens)
    return sum(
        (counts[token] - DRAWS * p) ** 2 / (DRAWS * p)
        for token, p in enumerate(expected.tolist())
        if p > 0
    )


def upper_chi_square(freedom: int) -> float:
    """Exceeded with probability 1e-4 (Wilson-Hilferty)."""
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + 3.719 * math.sqrt(spread)) ** 3


@pytest.mark.parametrize("temperature", [1.0, 0.7, 1.9])
def test_draws_follow_the_softmax_of_scaled_logits(temperature: float) -> None:
    tokens, logprobs = draws(SamplingSpec(max_tokens=1, temperature=temperature))
    expected = (logits() / temperature).softmax(-1)
    assert chi_square(tokens, expected) < upper_chi_square(VOCABULARY - 1)
    assert logprobs == pytest.approx(expected[tokens].log().tolist(), abs=1e-6)


def test_top_k_draws_from_the_k_likeliest_and_renormalises() -> None:
    tokens, logprobs = draws(SamplingSpec(max_tokens=1, top_k=3))
    kept = logits().topk(3).indices
    expected = torch.zeros(VOCABULARY).index_copy_(0, kept, logits()[kept].softmax(-1))
    assert set(tokens) == set(kept.tolist())
    assert chi_square(tokens, expected) < upper_chi_square(2)
    assert logprobs == pytest.approx(expected[tokens].log().tolist(), abs=1e-5)


def test_top_p_keeps_the_smallest_set_that_reaches_p() -> None:
    ordered = logits().softmax(-1).sort(descending=True)
    size = int((ordered.values.cumsum(-1) < 0.8).sum()) + 1
    tokens, logprobs = draws(SamplingSpec(max_tokens=1, top_p=0.8))
    assert set(tokens) == set(ordered.indices[:size].tolist())
    share = ordered.values[:size].sum()
    expected = (logits().softmax(-1) / share)[tokens].log().tolist()
    assert logprobs == pytest.approx(expected, abs=1e-5)


def test_a_tiny_nucleus_still_holds_the_likeliest_token() -> None:
    tokens, logprobs = draws(SamplingSpec(max_tokens=1, top_p=1e-9), 50)
    assert set(tokens) == {int(logits().argmax())}
    assert logprobs == [0.0] * 50


def test_greedy_takes_the_likeliest_with_its_unscaled_logprob() -> None:
    tokens, logprobs = draws(SamplingSpec(max_tokens=1, greedy=True, temperature=5, top_k=2), 20)
    best = int(logits().argmax())
    assert tokens == [best] * 20
    assert logprobs == pytest.approx([logits().log_softmax(-1)[best].item()] * 20, abs=1e-6)


def test_rows_with_different_rules_do_not_disturb_each_other() -> None:
    specs = [
        SamplingSpec(max_tokens=1),
        SamplingSpec(max_tokens=1, temperature=0.5),
        SamplingSpec(max_tokens=1, top_k=2),
        SamplingSpec(max_tokens=1, greedy=True),
        SamplingSpec(max_tokens=1, top_p=0.5),
    ]
    uniforms = [0.9, 0.8, 0.7, 0.6, 0.5]
    together = draw(logits().expand(5, -1), specs, uniforms)
    alone = [draw(logits()[None], [s], [u]) for s, u in zip(specs, uniforms, strict=True)]
    assert together[0] == [tokens[0] for tokens, _ in alone]
    assert together[1] == pytest.approx([logprobs[0] for _, logprobs in alone], abs=1e-6)


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-53])
def test_the_ends_of_the_unit_interval_never_give_an_impossible_token(uniform: float) -> None:
    rows = torch.tensor([[-math.inf, 0.1, 0.3, 0.7, -math.inf]])
    for scale in torch.linspace(0.1, 9, 200).tolist():
        tokens, logprobs = draw(rows * scale, [SamplingSpec(max_tokens=1)], [uniform])
        assert tokens == [1 if uniform == 0 else 3]
        assert math.isfinite(logprobs[0])


def test_logits_that_are_no_numbers_show_in_the_logprob() -> None:
    _, logprobs = draw(torch.full((1, 5), math.nan), [SamplingSpec(max_tokens=1)], [0.5])
    assert math.isnan(logprobs[0])


def test_seeds_count_with_all_their_bits() -> None:
    assert request_random(5).random() == request_random(5).random()
    assert request_random(5).random() != request_random(5 + 2**32).random()
    assert request_random(None).random() != request_random(None).random()


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 0},
        {"temperature": 0.0},
        {"temperature": math.nan},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_k": -1},
    ],
)
def test_settings_without_a_meaning_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        check_spec(replace(SamplingSpec(max_tokens=4), **change))

"""The learner's gradient is that of the whole mini-batch, however it is cut."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gigym.trainer.batch import Row, Span, pack, without_idle_turns
from gigym.trainer.config import ObjectiveSection, OptimSection
from gigym.trainer.errors import LearnerError
from gigym.trainer.head import score_tokens
from gigym.trainer.learner import Learner, Reference, frozen_copy
from gigym.trainer.loss import clipped_surrogate, cloning

SURROGATE = clipped_surrogate(ObjectiveSection())
STILL = OptimSection(lr=1e-12, grad_clip=1e9)


def some_rows(count: int = 7, seed: int = 0) -> list[Row]:
    rng = random.Random(seed)
    return [_row(rng, turn) for turn in range(count)]


def _row(rng: random.Random, turn: int) -> Row:
    length = rng.randrange(8, 30)
    cut = rng.randrange(3, length - 2)
    spans = tuple(
        Span(
            start=start,
            stop=stop,
            turn=turn,
            advantage=rng.choice([-1.5, 0.0, 0.7]),
            logprobs=np.asarray([-rng.uniform(2, 5) for _ in range(start, stop)], np.float32),
        )
        for start, stop in ((cut - 2, cut), (cut + 1, length))
    )
    ids = np.asarray([rng.randrange(50) for _ in range(length)], np.int32)
    return Row(ids=ids, spans=spans)


def shown(rows: list[Row]) -> list[Row]:
    """The same rows as demonstrations: every span has weight 1."""
    return [
        replace(row, spans=tuple(replace(span, advantage=1.0) for span in row.spans))
        for row in rows
    ]


def gradient(model: nn.Module, rows: list[Row], bin_tokens: int, chunk: int = 1024) -> torch.Tensor:
    learner = Learner(model, STILL.model_copy(update={"head_chunk": chunk}))
    tokens = sum(row.trained for row in rows)
    learner.step(pack(rows, bin_tokens), tokens, SURROGATE)
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_packed_rows_score_as_each_row_alone(model: nn.Module) -> None:
    rows = some_rows()
    for row in rows:
        (alone,) = pack([row], 10_000)
        expected = _plain_logp(model, row)
        got = score_tokens(model, alone, 1.0, 1024).logp
        assert torch.allclose(got, expected, atol=1e-6)
    (together,) = pack(rows, 10_000)
    ordered = sorted(rows, key=lambda row: row.spans[-1].stop)
    expected = torch.cat([_plain_logp(model, row) for row in ordered])
    assert torch.allclose(score_tokens(model, together, 1.0, 1024).logp, expected, atol=1e-6)


@torch.no_grad()
def _plain_logp(model: nn.Module, row: Row) -> torch.Tensor:
    ids = torch.from_numpy(row.ids.astype(np.int64))
    logp = model(input_ids=ids[None]).logits[0].log_softmax(-1)
    places = [p for span in row.spans for p in range(span.start, span.stop)]
    return torch.stack([logp[p - 1, ids[p]] for p in places])


def test_any_split_into_batches_gives_the_same_gradient(model: nn.Module) -> None:
    rows = some_rows()
    whole = gradient(model, rows, 10_000)
    for bin_tokens in (1, 40, 90):
        assert torch.allclose(gradient(model, rows, bin_tokens), whole, atol=1e-6)


def test_the_order_of_rows_does_not_matter(qwen3: nn.Module) -> None:
    rows = some_rows()
    assert torch.allclose(gradient(qwen3, rows[::-1], 60), gradient(qwen3, rows, 60), atol=1e-6)


def test_the_head_may_be_cut_into_any_chunks(model: nn.Module) -> None:
    rows = some_rows()
    whole = gradient(model, rows, 10_000)
    for chunk in (1, 7):
        assert torch.allclose(gradient(model, rows, 10_000, chunk), whole, atol=1e-6)


def test_turns_without_advantage_may_be_left_out(qwen3: nn.Module) -> None:
    rows = some_rows()
    tokens = sum(row.trained for row in rows)
    whole = gradient(qwen3, rows, 10_000)
    learner = Learner(qwen3, STILL)
    learner.step(pack(without_idle_turns(rows), 10_000), tokens, SURROGATE)
    lean = torch.cat([p.grad.flatten() for p in qwen3.parameters() if p.grad is not None])
    assert torch.allclose(lean, whole, atol=1e-6)


def test_observation_tokens_are_not_trained(qwen3: nn.Module) -> None:
    (row,) = some_rows(1)
    (batch,) = pack([row], 10_000)
    sampled = {p for span in row.spans for p in range(span.start, span.stop)}
    assert {int(s) + 1 for s in batch.src} == sampled


def test_temperature_divides_the_logits(qwen3: nn.Module) -> None:
    (row,) = some_rows(1)
    (batch,) = pack([row], 10_000)
    with torch.no_grad():
        logits = qwen3(input_ids=batch.ids).logits[0]
        expected = (logits / 0.7).log_softmax(-1)[batch.src, batch.tgt]
        got = score_tokens(qwen3, batch, 0.7, 1024)
    assert torch.allclose(got.logp, expected, atol=1e-6)


def test_cloning_one_row_learns_it(qwen3: nn.Module) -> None:
    learner = Learner(qwen3, OptimSection(lr=1e-2))
    (row,) = shown(some_rows(1))
    nll = [learner.step(pack([row], 100), row.trained, cloning)["nll"] for _ in range(30)]
    assert nll[-1] < 0.1 * nll[0]


def test_a_gradient_that_is_not_finite_is_skipped_and_then_refused(qwen3: nn.Module) -> None:
    learner = Learner(qwen3, OptimSection(lr=1e-2))
    (row,) = shown(some_rows(1))
    before = [p.detach().clone() for p in qwen3.parameters()]
    with torch.no_grad():
        next(qwen3.parameters())[0, 0] = float("nan")
    poisoned = Row(ids=np.zeros_like(row.ids), spans=row.spans)
    report = learner.step(pack([poisoned], 100), row.trained, cloning)
    assert report["skipped"] == 1.0
    assert all(torch.equal(p, q) for p, q in list(zip(qwen3.parameters(), before, strict=True))[1:])
    with pytest.raises(LearnerError, match="5 steps in a row"):
        for _ in range(4):
            learner.step(pack([poisoned], 100), row.trained, cloning)


def test_the_reference_penalty_is_zero_at_the_start_and_pulls_back_later(qwen3: nn.Module) -> None:
    reference = Reference(model=frozen_copy(qwen3), coef=0.5)
    learner = Learner(qwen3, OptimSection(lr=1e-2), reference=reference)
    rows = shown(some_rows(3))
    tokens = sum(row.trained for row in rows)
    assert learner.step(pack(rows, 100), tokens, cloning)["kl_ref"] == pytest.approx(0, abs=1e-6)
    assert learner.step(pack(rows, 100), tokens, cloning)["kl_ref"] > 1e-5


def test_an_update_without_any_token_changes_nothing(qwen3: nn.Module) -> None:
    learner = Learner(qwen3, OptimSection(lr=1e-2))
    before = [p.detach().clone() for p in qwen3.parameters()]
    learner.step((), 1, SURROGATE)
    assert all(torch.equal(p, q) for p, q in zip(qwen3.parameters(), before, strict=True))

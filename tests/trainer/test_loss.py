"""The losses against hand formulas and against the gradient they must have."""

import math

import pytest
import torch

from gigym.trainer.batch import Batch
from gigym.trainer.config import ObjectiveSection
from gigym.trainer.loss import Scores, clipped_surrogate, cloning, k3_penalty


def one_token(advantage: float, ratio: float, **options: float) -> tuple[float, float]:
    """Loss of one token and its derivative by the log-probability."""
    logp = torch.tensor([math.log(ratio) - 2.0], requires_grad=True)
    batch = Batch(
        ids=torch.zeros(1, 2, dtype=torch.long),
        src=torch.tensor([0]),
        tgt=torch.tensor([1]),
        turn=torch.tensor([0]),
        advantage=torch.tensor([advantage]),
        logp_sampler=torch.tensor([-2.0]),
    )
    objective = ObjectiveSection.model_validate(options)
    terms = clipped_surrogate(objective)(Scores(logp=logp, entropy=torch.zeros(1)), batch)
    (slope,) = torch.autograd.grad(terms.loss.sum(), logp)
    return float(terms.loss.detach()), float(slope)


@pytest.mark.parametrize(
    ("advantage", "ratio", "loss", "slope"),
    [
        (2.0, 1.0, -2.0, -2.0),
        (2.0, 1.1, -2.2, -2.2),
        (2.0, 1.5, -2.4, 0.0),
        (2.0, 0.5, -1.0, -1.0),
        (-2.0, 1.0, 2.0, 2.0),
        (-2.0, 0.5, 1.6, 0.0),
        (-2.0, 1.5, 3.0, 3.0),
        (-2.0, 5.0, 6.0, 0.0),
        (0.0, 1.3, 0.0, 0.0),
    ],
)
def test_the_surrogate_clips_where_it_should(
    advantage: float, ratio: float, loss: float, slope: float
) -> None:
    assert one_token(advantage, ratio) == pytest.approx((loss, slope), abs=1e-5)


def test_a_token_the_sampler_never_expected_keeps_the_gradient_finite() -> None:
    for advantage in (-1.0, 0.0, 1.0):
        assert one_token(advantage, math.exp(300.0))[1] == 0.0


def test_the_upper_clip_can_be_wider() -> None:
    assert one_token(1.0, 1.25, clip_high=0.28)[1] == pytest.approx(-1.25)
    assert one_token(1.0, 1.25)[1] == 0.0


def test_k3_is_zero_for_equal_and_positive_for_other_probabilities() -> None:
    same = torch.tensor([-1.0, -3.0])
    assert k3_penalty(same, same).tolist() == [0.0, 0.0]
    apart = k3_penalty(same, same + torch.tensor([0.5, -0.5]))
    assert apart.tolist() == pytest.approx([math.exp(0.5) - 1.5, math.exp(-0.5) - 0.5])


def test_the_expected_gradient_of_k3_is_that_of_the_forward_kl() -> None:
    logits = torch.tensor([0.3, -0.2, 0.9], dtype=torch.float64, requires_grad=True)
    reference = torch.tensor([0.1, 0.4, -0.5], dtype=torch.float64).log_softmax(-1)
    logp = logits.log_softmax(-1)
    (sampled,) = torch.autograd.grad(
        (logp.detach().exp() * k3_penalty(logp, reference)).sum(), logits, retain_graph=True
    )
    forward_kl = (reference.exp() * (reference - logp)).sum()
    (exact,) = torch.autograd.grad(forward_kl, logits)
    assert torch.allclose(sampled, exact, atol=1e-12)


def test_cloning_is_the_negative_log_likelihood() -> None:
    logp = torch.tensor([-0.5, -2.0])
    batch = Batch(
        ids=torch.zeros(1, 3, dtype=torch.long),
        src=torch.tensor([0, 1]),
        tgt=torch.tensor([1, 1]),
        turn=torch.tensor([0, 0]),
        advantage=torch.ones(2),
        logp_sampler=torch.zeros(2),
    )
    assert cloning(Scores(logp=logp, entropy=logp), batch).loss.tolist() == [0.5, 2.0]

"""GiGPO (arXiv 2505.10978) on two short episodes: every number by hand, then by `estimate`.

Two siblings try the same task. The first goes north and wins; the second goes south, comes back
to the hall, goes north and runs out of turns.

Run it: python examples/03_gigpo_by_hand.py
"""

import numpy as np

from gigym.grouping import Steps, estimate

GAMMA = 0.5

STEPS = Steps.of(
    task=["find the key"] * 5,
    trajectory=[0, 0, 1, 1, 1],
    step=[0, 1, 0, 1, 2],
    anchor=["hall", "attic", "hall", "cellar", "hall"],
    reward=[0, 8, 0, 0, 0],
)


def main() -> None:
    # eq. 3: the episodes returned 8 and 0; against their mean, each turn alike
    episode = np.array([8, 8, 0, 0, 0]) - np.mean([8, 0])
    # eq. 5: what followed each turn, discounted
    returns = np.array([8 * GAMMA, 8, 0, 0, 0])
    # eq. 6-7: the hall was left three times, by both siblings; attic and cellar are alone
    hall = [0, 2, 4]
    step = np.zeros(5)
    step[hall] = returns[hall] - returns[hall].mean()
    by_hand = episode + 1.0 * step  # eq. 8 with omega = 1

    credit = estimate(STEPS, "gigpo", gamma=GAMMA, omega=1.0, norm="mean")
    print("by hand ", np.round(by_hand, 3))
    print("estimate", np.round(credit.advantage, 3))
    np.testing.assert_allclose(credit.advantage, by_hand)

    # episodes alone cannot tell the hall from the cellar; states can
    alone = estimate(STEPS, "grpo", norm="mean").advantage
    print("grpo    ", np.round(alone, 3))


if __name__ == "__main__":
    main()

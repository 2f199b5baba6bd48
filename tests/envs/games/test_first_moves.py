"""No game is over before its first move, and moves that are no texts are refused."""

from typing import Any, cast

import pytest

import gigym
from gigym.envs.errors import BadOption
from gigym.envs.games.negotiation import Negotiation
from gigym.envs.games.sealed import SealedNegotiation


@pytest.mark.parametrize("seat", [0, 1])
def test_a_random_partner_does_not_end_the_talks_before_they_began(seat: int) -> None:
    env = gigym.make("Negotiation-v0", opponent="random", seat=seat)
    assert not any(env.start(seed).done for seed in range(150))


def test_alternating_offers_need_two_turns_and_sealed_bids_one_round() -> None:
    assert SealedNegotiation(turns=1).turns == 1
    with pytest.raises(BadOption, match="between 2 and 100, got 1"):
        Negotiation(turns=1)


@pytest.mark.parametrize("env_id", ["Negotiation-v0", "TwentyQuestions-v0", "MathTools-v0"])
@pytest.mark.parametrize("action", [None, 5, b"quit", ["quit"]])
def test_an_action_that_is_no_text_is_refused_and_changes_nothing(
    env_id: str, action: object
) -> None:
    env = gigym.make(env_id)
    env.reset(seed=0)
    before = env.snapshot()
    with pytest.raises(BadOption, match="an action is a text, got"):
        env.step(cast(str, action))
    assert env.snapshot() == before


@pytest.mark.parametrize("actions", [None, 5, ["quit", "quit"]])
def test_a_parallel_step_takes_a_text_per_seat(actions: object) -> None:
    pytest.importorskip("pettingzoo")
    env = gigym.make_parallel("Negotiation-v0")
    env.reset(seed=0)
    with pytest.raises(BadOption, match="a text per seat, as a dict, got"):
        env.step(cast("dict[str, Any]", actions))

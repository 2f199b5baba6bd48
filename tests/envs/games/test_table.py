"""One table for all seats: each seat's own turns, its own replies, its own reward."""

from gigym.envs import Policy
from gigym.envs.games import (
    Game,
    Greedy,
    Halving,
    Honest,
    Negotiation,
    RandomPlayer,
    SealedNegotiation,
    Table,
    TitForTat,
    TwentyQuestions,
    play,
)


def test_each_seat_gets_its_own_turns_and_the_last_is_paid() -> None:
    game = Game(Negotiation())
    policies: dict[str, Policy] = {"agent_0": Greedy(), "agent_1": TitForTat()}
    for seed in range(20):
        turns = play(game, policies, seed=seed)
        assert set(turns) == {"agent_0", "agent_1"}
        for agent, own in turns.items():
            assert all(turn.seen.info["agent"] == agent for turn in own)
            assert all(turn.seen.info["turn"] is True and turn.valid for turn in own)
            assert [turn.reward for turn in own[:-1]] == [0.0] * (len(own) - 1)
            assert not own or own[-1].reward == game.rewards()[agent]
            assert len({turn.seen.state_key for turn in own}) == len(own)


def test_one_policy_can_sit_in_all_seats() -> None:
    me = RandomPlayer(seed=5)
    game = Game(SealedNegotiation(turns=3))
    first = play(game, dict.fromkeys(game.agents, me), seed=2)
    assert first == play(game, dict.fromkeys(game.agents, me), seed=2)
    assert len(first["agent_0"]) == len(first["agent_1"])


def test_a_seat_hears_everything_first_and_then_what_is_new() -> None:
    table = Table(Game(TwentyQuestions(candidates=4)), seed=1)
    assert table.mover == "agent_0" and "Objects:" in table.reply("agent_0").observation
    table.answer("ask an animal")
    assert table.mover == "agent_1"
    assert "the answerer" in table.reply("agent_1").observation
    table.answer(Honest().act(table.reply("agent_1")))
    heard = table.reply("agent_0").observation
    assert heard.startswith("agent_1 answers: ") and "Objects:" not in heard
    table.answer("nonsense")
    assert table.reply("agent_0").observation.startswith("Invalid: ")
    assert [turn.valid for turn in table.turns()["agent_0"]] == [True, False]


def test_siblings_meet_in_the_same_states() -> None:
    game = Game(TwentyQuestions())
    keys = [
        {turn.seen.state_key for turn in play(game, seats, seed=3)["agent_0"]}
        for seats in ({"agent_0": Halving(), "agent_1": Honest()},) * 2
    ]
    assert keys[0] == keys[1] and len(keys[0]) > 2

"""States of negotiations: keys and trees, sealed bids, stakes, frozen games."""

import itertools
import json
import random
from dataclasses import replace

import pytest
from talks import VECTOR, say, table

from gigym.envs import BadOption, UnknownTask
from gigym.envs.games import Game, Negotiation, SealedNegotiation, play
from gigym.envs.games.bargain import Stakes, Talks, draw_stakes
from gigym.envs.games.deals import TOTAL, splits, worth
from gigym.envs.types import JsonValue, digest


def tree(game: Game[Talks], known: dict[str, str], keys: dict[str, set[str]]) -> str:
    """Name of all that can come: what is shown and paid, here and after every move but speech."""
    place = repr(game.position)
    if place not in known:
        after: list[JsonValue] = []
        for agent in game.movers():
            for line in (*(game.commands(agent) or ()), "nonsense"):
                child = game.clone()
                verdict = child.act(agent, line)
                after.append([agent, line, verdict.message, tree(child, known, keys)])
        shown = [f"{game.observe(a)} {game.legal(a)} {game.rewards()[a]}" for a in game.agents]
        known[place] = digest([*shown, after])
        if not game.done:
            keys.setdefault(game.state_key(), set()).add(known[place])
    return known[place]


@pytest.mark.parametrize("rules", [Negotiation(turns=3), SealedNegotiation(turns=1)])
def test_keys_are_equal_exactly_where_all_that_is_to_come_is(rules: Negotiation) -> None:
    stakes = Stakes(items=("book", "hat"), pool=(1, 1), values=((10, 0), (5, 5)))
    game = table(stakes, rules)
    game.max_invalid = 2
    keys: dict[str, set[str]] = {}
    tree(game, {}, keys)
    trees = [name for names in keys.values() for name in names]
    assert len(trees) == len(set(trees)) == len(keys) > 10


def test_bids_of_a_round_are_secret_until_both_are_in_and_their_order_is_no_state() -> None:
    one, other = table(rules=SealedNegotiation()), table(rules=SealedNegotiation())
    one.act("agent_0", "propose book=2 hat=1")
    assert "agent_0 bids" not in one.observe("agent_1")
    assert one.state_key("agent_1") == other.state_key("agent_1")
    one.act("agent_1", "propose ball=3 book=1")
    other.act("agent_1", "propose ball=3 book=1")
    other.act("agent_0", "propose book=2 hat=1")
    assert one.observe("agent_1") == other.observe("agent_1") and not one.done
    assert one.state_key() == other.state_key()
    for agent, bid in (("agent_1", "propose ball=3"), ("agent_0", "propose book=2")):
        one.act(agent, bid)
    assert one.done and one.rewards() == {"agent_0": 0.6, "agent_1": 0.6}


def test_a_sealed_round_with_a_quit_ends_the_talks_for_both() -> None:
    game = table(replace(VECTOR, reservations=(2, 3)), SealedNegotiation())
    game.act("agent_0", "quit")
    assert game.movers() == ("agent_1",)
    game.act("agent_1", "propose ball=3")
    assert game.done and game.rewards() == {"agent_0": 0.2, "agent_1": 0.3}


def test_stakes_are_as_the_rules_want_them_and_splits_share_none() -> None:
    seen: dict[str, set[str]] = {}
    for split, seed in itertools.product(("train", "dev", "test"), range(150)):
        stakes = draw_stakes(f"{split}/{seed}", with_reservations=True)
        assert 3 <= len(stakes.items) <= 5 and all(1 <= count <= 4 for count in stakes.pool)
        assert [worth(values, stakes.pool) for values in stakes.values] == [TOTAL, TOTAL]
        assert stakes.values[0] != stakes.values[1] and len(splits(stakes.pool)) <= 5**5
        assert all(0 <= points <= 4 for points in stakes.reservations)
        content = str((stakes.items, stakes.pool, stakes.values))
        seen.setdefault(split, set()).add(content)
    assert (
        not seen["train"] & seen["dev"] | seen["dev"] & seen["test"] | seen["train"] & seen["test"]
    )
    assert len(seen["train"]) == 150


@pytest.mark.parametrize("rules", [Negotiation(), SealedNegotiation()], ids=["turns", "sealed"])
def test_a_frozen_game_goes_on_alike(rules: Negotiation) -> None:
    rng = random.Random(1)
    for seed in range(30):
        game: Game[Talks] = Game(rules)
        game.reset(seed)
        while not game.done:
            twin: Game[Talks] = Game(rules)
            twin.restore(json.loads(json.dumps(game.freeze())))
            assert twin.position == game.position and twin.state_key() == game.state_key()
            agent = game.current()
            game.act(agent, rng.choice(game.commands(agent) or ()))


def test_data_that_is_no_frozen_game_is_refused() -> None:
    frozen = say(table(), "propose book=1").freeze()
    assert isinstance(frozen, dict)
    state = frozen["state"]
    assert isinstance(state, dict)
    changes: tuple[dict[str, JsonValue], ...] = (
        {"task": "x/1"},
        {"forfeits": ["me"]},
        {"state": {}},
        {"log": [1]},
        {"strikes": [0]},
        {"state": {**state, "pool": [9, 1, 3]}},
        {"state": {**state, "values": [[9, 0, 0], [1, 2, 2]]}},
        {"state": {**state, "offers": [[0, "propose", [3, 0, 0]]]}},
        {"state": {**state, "offers": [[2, "quit", []]]}},
    )
    broken: tuple[JsonValue, ...] = (None, 3, {}, *({**frozen, **change} for change in changes))
    for data in broken:
        with pytest.raises(BadOption, match="not a frozen game"):
            Game(Negotiation()).restore(data)


def test_wrong_options_are_told() -> None:
    for make in (
        lambda: Negotiation(turns=0),
        lambda: Game(Negotiation(), split="valid"),
        lambda: Game(Negotiation(), max_invalid=0),
    ):
        with pytest.raises(BadOption):
            make()
    game = Game(Negotiation())
    with pytest.raises(UnknownTask, match="ids are like train/17"):
        game.reset(0, {"task": "train/x"})
    with pytest.raises(BadOption, match="no reset option 'tsk'"):
        game.reset(0, {"tsk": "train/1"})
    with pytest.raises(BadOption, match="no policy for agent_0"):
        play(game, {}, seed=0)

"""Twenty questions: the table, the oracle, what a state is, lies, noise, hostile text."""

import itertools
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from gigym.envs import BadOption
from gigym.envs.games import Game, Halving, Honest, RandomAsker, TwentyQuestions, play
from gigym.envs.games.facts import facts
from gigym.envs.games.questions import Quest

SEATS = {"agent_0": Halving(), "agent_1": Honest()}


def begun(seed: int = 0, **options: Any) -> Game[Quest]:  # noqa: ANN401
    """A game at its first question."""
    game = Game(TwentyQuestions(**options))
    game.reset(seed)
    return game


def ask(game: Game[Quest], attribute: str) -> None:
    """A question, answered truly."""
    assert game.act("agent_0", f"ask {attribute}").valid
    assert game.act("agent_1", Honest().act(game.reply("agent_1"))).valid


def test_the_table_is_large_and_any_two_objects_differ_twice() -> None:
    table = facts()
    assert len(table.objects) >= 200 and len(table.attributes) >= 40
    assert len(set(table.objects)) == len(table.objects)
    for held in table.holders.values():
        assert held <= set(table.objects) and 2 <= len(held) <= len(table.objects) - 2
    rows = {
        thing: {name for name in table.attributes if table.holds(name, thing)}
        for thing in table.objects
    }
    for one, other in itertools.combinations(table.objects, 2):
        assert len(rows[one] ^ rows[other]) >= 2, (one, other)


def test_names_are_plain_and_stand_for_one_thing_each() -> None:
    table = facts()
    for name in (*table.objects, *table.attributes):
        assert name == name.lower().strip() and name.isascii() and "?" not in name
    for name in table.attributes:
        for form in (name, f"is it {name}?", f"IS  IT {name} ?", name.removeprefix("a ")):
            assert table.attribute_named(form) == name


def test_plain_facts_hold() -> None:
    table = facts()
    for thing, attribute, holds in (
        ("penguin", "able to fly", False),
        ("bat", "able to fly", True),
        ("whale", "a mammal", True),
        ("shark", "a mammal", False),
        ("octopus", "an animal with a backbone", False),
        ("potato", "found mainly under the ground", True),
        ("bicycle", "having wheels", True),
        ("sledge", "having wheels", False),
        ("piano", "usually made mostly of wood", True),
        ("moon", "made by people", False),
        ("tomato", "usually red", True),
        ("submarine", "made to travel on or in water", True),
    ):
        assert table.holds(attribute, thing) is holds, (thing, attribute)


def test_the_oracle_finds_every_object_of_the_table_within_twelve_questions() -> None:
    for seed in range(150):
        game = begun(seed)
        turns = play(game, SEATS, seed=seed)
        facts_of_it = game.info("agent_0")
        assert facts_of_it["won"] is True and game.rewards() == {"agent_0": 1.0, "agent_1": 1.0}
        assert isinstance(facts_of_it["questions"], int) and facts_of_it["questions"] <= 12
        assert turns["agent_0"][-1].reward == turns["agent_1"][-1].reward == 1.0
    things = facts().objects
    for hidden in things:  # the hardest case: nothing is ruled out from the start
        game = begun(0, candidates=len(things))
        game._position = replace(game.position, state=replace(game.position.state, hidden=hidden))
        while not game.done:
            mover = game.current()
            game.act(mover, SEATS[mover].act(game.reply(mover, "")))
        assert game.info("agent_0")["won"] is True
        assert len(game.position.state.answers) <= 12, hidden


def test_random_games_end_and_pay_within_bounds() -> None:
    for seed in range(500):
        game, rng = begun(seed, candidates=16, shaped=bool(seed % 2)), random.Random(seed)
        moves = 0
        while not game.done:
            mover = game.current()
            line = rng.choice(game.commands(mover) or ())
            if mover == "agent_1":
                line = Honest().act(game.reply(mover, ""))
            assert game.act(mover, line).valid
            moves += 1
        paid = game.rewards()
        assert moves <= 43 and paid["agent_0"] == paid["agent_1"] and 0.0 <= paid["agent_0"] <= 1.0
        assert (paid["agent_0"] > 0) is game.info("agent_0")["won"]


def test_shaped_rewards_fall_with_the_questions() -> None:
    game = begun(3, shaped=True)
    for attribute in ("an animal", "a mammal", "a vehicle"):
        ask(game, attribute)
    game.act("agent_0", f"guess {game.position.state.hidden}")
    assert game.rewards() == {"agent_0": pytest.approx(0.94), "agent_1": pytest.approx(0.94)}


def test_other_ways_to_the_same_candidates_are_the_same_state() -> None:
    one, other = begun(2), begun(2)
    for attribute in ("an animal", "made by people", "having wheels"):
        ask(one, attribute)
    for attribute in ("having wheels", "an animal", "an animal", "made by people"):
        ask(other, attribute)
    assert one.state_key("agent_0") == other.state_key("agent_0")
    assert one.state_key() != other.state_key()
    full = [begun(2, full_key=True) for _ in range(2)]
    ask(full[0], "an animal")
    assert full[0].state_key("agent_0") != full[1].state_key("agent_0")


def test_keys_of_the_questioner_name_candidates_and_guesses_and_nothing_else() -> None:
    keys: dict[str, set[tuple[Any, ...]]] = {}
    for seed in range(60):
        game, rng = begun(7, candidates=6), random.Random(seed)
        while not game.done:
            if game.current() == "agent_0":
                state = game.position.state
                rules = game.rules
                assert isinstance(rules, TwentyQuestions)
                what = (frozenset(rules.remaining(state)), len(state.guesses))
                keys.setdefault(game.state_key("agent_0"), set()).add(what)
            game.act(
                game.current(),
                RandomAsker(seed).act(game.reply("agent_0", ""))
                if game.current() == "agent_0" and rng.random() < 0.8
                else _any(game, rng),
            )
    names = [what for found in keys.values() for what in found]
    assert len(names) == len(set(names)) == len(keys) > 10


def _any(game: Game[Quest], rng: random.Random) -> str:
    mover = game.current()
    if mover == "agent_1":
        return Honest().act(game.reply(mover, ""))
    return rng.choice(game.commands(mover) or ())


def test_the_questioner_is_told_nothing_of_the_hidden_object() -> None:
    for seed in range(30):
        game = begun(seed, candidates=12)
        state = game.position.state
        twins: list[Game[Quest]] = []
        for hidden in state.candidates:
            twin = game.clone()
            twin._position = replace(game.position, state=replace(state, hidden=hidden))
            twins.append(twin)
        groups: list[list[Game[Quest]]] = [twins]
        for attribute in ("an animal", "made by people", "lighter than one kilogram"):
            for group in groups:
                seen = [
                    (
                        t.observe("agent_0"),
                        t.info("agent_0"),
                        t.state_key("agent_0"),
                        t.commands("agent_0"),
                        t.legal("agent_0"),
                    )
                    for t in group
                ]
                assert all(view == seen[0] for view in seen)
            for twin in twins:
                ask(twin, attribute)
            split: dict[tuple[Any, ...], list[Game[Quest]]] = {}
            for twin in twins:
                split.setdefault(twin.position.state.answers, []).append(twin)
            groups = list(split.values())


def test_a_false_answer_forfeits_and_nobody_is_paid() -> None:
    game = begun(1)
    game.act("agent_0", "ask an animal")
    truth = game.info("agent_1")["knowledge"]
    assert isinstance(truth, dict)
    game.act("agent_1", "no" if truth["truth"] == "yes" else "yes")
    assert game.done and game.rewards() == {"agent_0": 0.0, "agent_1": 0.0}
    assert game.info("agent_0")["forfeits"] == ["agent_1"] and game.info("agent_0")["won"] is False
    game = begun(1)
    game.act("agent_0", "ask an animal")
    game.act("agent_1", "unknown")
    assert game.done


def test_noise_leaves_the_same_attributes_unknown_throughout_a_game() -> None:
    game = begun(5, noise=0.5)
    for attribute in facts().attributes[:9] * 2:
        ask(game, attribute)
    answers = game.position.state.answers
    assert answers[:9] == answers[9:18]
    assert 0 < sum(answer == "unknown" for _, answer in answers[:9]) < 9
    won = 0
    for seed in range(50):
        noisy = begun(seed, noise=0.2)
        play(noisy, SEATS, seed=seed)
        won += noisy.info("agent_0")["won"] is True
    assert won == 50


@pytest.mark.parametrize(
    "text",
    [
        "ask",
        "ask rich",
        "guess",
        "guess unicorn",
        "guess everything",
        "yes",
        "won",
        "reward 1",
        "an animal",
        "ask an animal\nguess whale",
        "",
        "\x00",
        "\ud800",
        "ask " + "is it " * 100_000,
    ],
)
def test_what_is_refused_changes_nothing(text: str) -> None:
    game = begun()
    before = game.position
    assert game.act("agent_0", text).message.startswith("Invalid: ")
    assert (game.position.state, game.position.log) == (before.state, before.log)


def test_guesses_and_questions_run_out() -> None:
    game = begun(0, questions=1, guesses=2)
    ask(game, "an animal")
    assert "no questions are left" in game.act("agent_0", "ask a mammal").message
    assert game.legal("agent_0") == ("guess <object>",)
    wrong = [t for t in game.position.state.candidates if t != game.position.state.hidden]
    assert game.act("agent_0", f"guess {wrong[0]}").valid
    assert "was guessed before" in game.act("agent_0", f"guess {wrong[0]}").message
    assert f"guess {wrong[0]}" not in (game.commands("agent_0") or ())
    assert game.act("agent_0", f"guess {wrong[1]}").valid and game.done
    assert set(game.rewards().values()) == {0.0}


def test_a_frozen_game_goes_on_alike_and_cannot_be_made_to_lie() -> None:
    game = begun(4)
    ask(game, "an animal")
    game.act("agent_0", "ask a vehicle")
    frozen = json.loads(json.dumps(game.freeze()))
    twin = begun(9)
    twin.restore(frozen)
    assert twin.position == game.position and twin.state_key() == game.state_key()
    lying = json.loads(json.dumps(frozen))
    lying["state"]["answers"] = [["an animal", "yes"], ["a vehicle", "no"]]
    twin.restore(lying)
    truth = {name: facts().holds(name, twin.position.state.hidden) for name in ("an animal",)}
    assert dict(twin.position.state.answers)["an animal"] == ("yes" if truth["an animal"] else "no")
    for change in ({"answers": [["rich", "yes"]]}, {"guesses": ["unicorn"]}, {"pending": "rich"}):
        broken: Any = {**frozen, "state": {**frozen["state"], **change}}
        with pytest.raises(BadOption, match="not a frozen game"):
            twin.restore(broken)


@pytest.mark.parametrize(
    "options",
    [{"candidates": 1}, {"candidates": 10_000}, {"questions": -1}, {"guesses": 0}, {"noise": 2.0}],
)
def test_wrong_options_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(BadOption):
        TwentyQuestions(**options)

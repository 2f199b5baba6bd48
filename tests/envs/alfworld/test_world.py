"""The running game: keys, goals that come and go, texts nobody foresaw, frozen states."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigym.envs import BadOption
from gigym.envs.alfworld import GameSet, PackRow
from gigym.envs.alfworld.game import Game, parse_problem
from gigym.envs.alfworld.generator import generate
from gigym.envs.alfworld.text import HELP, condition, listing
from gigym.envs.alfworld.world import World
from gigym.envs.types import digest

ALARM_CLOCK = (
    "valid_seen/look_at_obj_in_light-AlarmClock-None-DeskLamp-323/trial_T20190909_044715_250790"
)
SOAP_BAR = (
    "valid_seen/pick_clean_then_place_in_recep-SoapBar-None-Drawer-423"
    "/trial_T20190906_202340_749336"
)
GAME = parse_problem(generate(1, difficulty="small"))


def played(game: Game, seed: int, steps: int) -> World:
    world, rng = World(game), random.Random(seed)
    for _ in range(steps):
        world.apply(rng.choice(world.admissible()))
    return world


def test_state_keys_are_the_published_ones(official: Callable[[str], GameSet]) -> None:
    world = World(parse_problem(official("valid_seen").row(ALARM_CLOCK)))
    keys = [world.state_key()]
    for command in ("look", "go to desk 1", "use desklamp 1", "take alarmclock 2 from desk 1"):
        world.apply(command)
        keys.append(world.state_key())
    assert keys == [
        "34bbfadddbd4ea7bb9bdbf8f390e2d75",
        "34bbfadddbd4ea7bb9bdbf8f390e2d75",
        "39439730c68316ffa61aded7b971d88e",
        "ab017dde6fc059a8d58926d2c6a9d010",
        "94f65877d5eb3ee95e86c113914d964d",
    ]
    assert world.won


def test_state_keys_before_and_after_a_walkthrough(official: Callable[[str], GameSet]) -> None:
    world = World(parse_problem(official("valid_seen").row(SOAP_BAR)))
    assert world.state_key() == "eb6d0cf43058bb97fcaa5b6b025dbac4"
    for command in world.game.walkthrough:
        world.apply(command)
    assert world.won and world.state_key() == "dd98ba3ffec451f64d0da0e8ecb09934"


@pytest.mark.parametrize("seed", range(5))
def test_a_state_key_is_the_hash_of_the_plain_facts(seed: int) -> None:
    world = played(GAME, seed, 40)
    state = world.state
    ones = ("isclean", "ishot", "iscool", "istoggled", "issliced")
    plain: list[Any] = [
        sorted(row[0] for row in state.facts["opened"]),
        sorted(map(list, state.facts["inreceptacle"])),
        sorted(map(list, state.facts["objectatlocation"])),
        *(sorted(row[0] for row in state.facts[name]) for name in ones),
    ]
    assert world.state_key() == digest([GAME.id, state.place, state.hold, *plain])


def test_what_is_put_back_gives_the_same_key_again() -> None:
    game = next(g for g in map(parse_problem, map(generate, range(20))) if take_from_reset(g))
    world = World(game)
    go, take, back = take_from_reset(game) or ("", "", "")
    world.apply(go)
    key = world.state_key()
    world.apply(take)
    assert world.state_key() != key
    world.apply(back)
    assert world.state_key() == key


def take_from_reset(game: Game) -> tuple[str, str, str] | None:
    """Go somewhere, take something and put it back where it was."""
    for go in World(game).admissible():
        world = World(game)
        world.apply(go)
        for take in world.admissible():
            if go.startswith("go to") and take.startswith("take"):
                thing, place = take.removeprefix("take ").split(" from ")
                return go, take, f"move {thing} to {place}"
    return None


def test_a_goal_is_lost_when_it_is_undone() -> None:
    game = parse_problem(generate(1, difficulty="small", kind="place"))
    world = World(game)
    for command in game.walkthrough:
        world.apply(command)
    assert world.won
    thing, place = game.walkthrough[-1].removeprefix("move ").split(" to ")
    world.apply(f"take {thing} from {place}")
    assert not world.won
    world.apply(f"move {thing} to {place}")
    assert world.won


@given(st.text())
def test_no_text_makes_the_game_raise(command: str) -> None:
    world = World(GAME)
    key, listed = world.state_key(), world.admissible()
    if command.strip() in listed:
        return
    assert world.apply(command) == "Nothing happens."
    assert (world.state_key(), world.admissible()) == (key, listed)


@given(st.integers(0, 2**32), st.integers(0, 60))
def test_every_admissible_command_does_something_known(seed: int, steps: int) -> None:
    world = played(GAME, seed, steps)
    assert list(world.admissible()) == sorted(set(world.admissible()))
    for command in world.admissible():
        twin = World(GAME)
        twin.thaw(world.freeze())
        assert twin.apply(f" {command}\n") != "Nothing happens."


@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(0, 20))
def test_a_thawed_state_goes_on_like_the_one_it_was_frozen_from(
    seed: int, steps: int, more: int
) -> None:
    world, twin = played(GAME, seed, steps), World(GAME)
    twin.thaw(json.loads(json.dumps(world.freeze())))
    rng = random.Random(seed)
    for _ in range(more):
        assert (twin.state_key(), twin.admissible()) == (world.state_key(), world.admissible())
        command = rng.choice(world.admissible())
        assert twin.apply(command) == world.apply(command) and twin.won == world.won
    assert twin.freeze() == world.freeze()


def test_what_was_taken_away_is_remembered_by_a_thawed_look(own_traces: tuple[Any, ...]) -> None:
    """`look` alone tells what was taken and came back to the same place by another way."""
    trace = next(t for t in own_traces if t["id"] == "handmade/two")
    fields = {key: trace[key] for key in ("id", "task", "pddl_problem")}
    game = parse_problem(PackRow(**fields, walkthrough=()))
    world, twin = World(game), World(game)
    for command in ("go to countertop 1", "take mug 3 from shelf 1", "move mug 3 to countertop 1"):
        world.apply(command)
    twin.thaw(world.freeze())
    assert "Next to it, you see a mug 3." in world.apply("look")
    assert twin.apply("look") == world.apply("look")


@pytest.mark.parametrize(
    "damage",
    [
        {"place": "nowhere"},
        {"place": None},
        {"place": ["loc"]},
        {"hold": "loc_bar_x"},
        {"hold": 3},
        {"hold": ""},
        {"opened": [["a", "b"]]},
        {"inreceptacle": ["mug"]},
        {"inreceptacle": [[1, 2]]},
        {"isclean": 5},
        {"removed": [["x", "y"]]},
        {"removed": None},
    ],
)
def test_a_frozen_state_that_does_not_fit_the_game_is_refused(damage: dict[str, Any]) -> None:
    frozen = World(GAME).freeze()
    assert isinstance(frozen, dict)
    with pytest.raises(BadOption):
        World(GAME).thaw({**frozen, **damage})


def test_the_help_is_byte_for_byte_the_one_of_the_grammar(test_data: Path) -> None:
    grammar = (test_data / "alfworld" / "alfred.twl2").read_text()
    assert f'feedback :: "\n{HELP}";' in grammar


def test_lists_have_a_comma_before_and() -> None:
    assert listing([]) == "nothing" and listing(["a"]) == "a"
    assert listing(["a", "b"]) == "a, and b" and listing(["a", "b", "c"]) == "a, b, and c"


def test_what_examining_tells_follows_the_order_of_the_grammar() -> None:
    told = {
        "clean hot sliced": "This is a hot and clean sliced egg 1.",
        "clean cool sliced": "This is a cool and clean sliced egg 1.",
        "clean sliced": "This is a clean sliced egg 1.",
        "hot sliced": "This is a hot sliced egg 1.",
        "cool sliced on": "This is a cool sliced egg 1.",
        "clean hot": "This is a hot and clean egg 1.",
        "clean cool on": "This is a cool and clean egg 1.",
        "hot on": "This is a hot egg 1.",
        "clean": "This is a clean egg 1.",
        "cool": "This is a cold egg 1.",
        "on sliced": "This egg 1 is on.",
        "sliced": "This is a sliced egg 1.",
        "": "There's nothing special about egg 1.",
    }
    assert {traits: condition("egg 1", frozenset(traits.split())) for traits in told} == told

"""The official games: all of them parse, their walkthroughs win, and so does the expert."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import mean

import pytest

from gigym.envs.alfworld import GameSet
from gigym.envs.alfworld.expert import next_command, solve
from gigym.envs.alfworld.game import Game, parse_problem
from gigym.envs.alfworld.world import World

MEAN_LENGTHS = {
    "place": 4.24,
    "look": 3.81,
    "clean": 6.49,
    "heat": 6.55,
    "cool": 6.40,
    "two": 8.40,
}
"""What an expert of this kind needed before; ours may not need more."""


def wins(game: Game, commands: Iterable[str]) -> bool:
    world = World(game)
    for command in commands:
        assert not world.won and command in world.admissible()
        world.apply(command)
    return world.won


@pytest.mark.parametrize(("split", "count"), [("valid_seen", 140), ("train", 3553)])
def test_every_walkthrough_wins_and_the_expert_wins_from_the_reset(
    official: Callable[[str], GameSet], split: str, count: int
) -> None:
    lengths: dict[str, list[int]] = defaultdict(list)
    for row in official(split):
        game = parse_problem(row)
        assert game.aim is not None and wins(game, row.walkthrough), row.id
        commands = solve(game)
        assert commands is not None, row.id
        lengths[game.aim.kind].append(len(commands))
    assert sum(map(len, lengths.values())) == len(official(split)) == count
    assert max(map(max, lengths.values())) <= 11
    if split == "train":
        assert {kind for kind in lengths if mean(lengths[kind]) > MEAN_LENGTHS[kind]} == set()


def test_the_expert_wins_from_wherever_random_play_left_the_game(
    official: Callable[[str], GameSet],
) -> None:
    rng = random.Random(0)
    games = official("train")
    for number, game_id in enumerate(games.ids[::25]):
        world = World(parse_problem(games.row(game_id)))
        for _ in range(number % 31):
            world.apply(rng.choice(world.admissible()))
        finish(world)
        assert world.won or stuck(world), game_id


def finish(world: World) -> None:
    for _ in range(30):
        if world.won:
            return
        command = next_command(world)
        assert command in world.admissible()
        world.apply(command)


def stuck(world: World) -> bool:
    """Some official games have things, such as paper towel rolls, that fit nowhere once taken."""
    hold, game = world.state.hold, world.game
    return hold is not None and not any(game.accepts(place, hold) for place in game.receptacles)

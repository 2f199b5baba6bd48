"""Conformance: every recorded step of the reference engine, word for word."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from gigym.envs.alfworld import GameSet, PackRow
from gigym.envs.alfworld.game import parse_problem
from gigym.envs.alfworld.world import World


def differences(row: PackRow, trace: dict[str, Any]) -> list[str]:
    """Where our engine and the recording part, as readable lines."""
    game, found = parse_problem(row), list[str]()
    for segment in trace["segments"]:
        world = World(game)
        found += compare("reset", world.intro(), world, segment["reset"])
        for step in segment["steps"]:
            found += compare(step["action"], world.apply(step["action"]), world, step)
    return [f"{row.id}: {line}" for line in found]


def compare(action: str, text: str, world: World, seen: dict[str, Any]) -> list[str]:
    ours = (text, list(world.admissible()), world.won)
    theirs = (seen["obs"], seen["admissible"], seen["won"])
    return [
        f"{action!r} gave {a!r}, not {b!r}" for a, b in zip(ours, theirs, strict=True) if a != b
    ]


def num_steps(traces: tuple[dict[str, Any], ...]) -> int:
    return sum(len(segment["steps"]) for trace in traces for segment in trace["segments"])


def test_recorded_steps_on_official_games_are_equal(
    official_traces: tuple[dict[str, Any], ...], official: Callable[[str], GameSet]
) -> None:
    found: list[str] = []
    for trace in official_traces:
        split = trace["id"].partition("/")[0]
        found += differences(official(split).row(trace["id"]), trace)
    assert found == []
    assert num_steps(official_traces) == 7423


def test_recorded_steps_on_our_own_games_are_equal(own_traces: tuple[dict[str, Any], ...]) -> None:
    found: list[str] = []
    for trace in own_traces:
        row = PackRow(
            id=trace["id"],
            task=trace["task"],
            pddl_problem=trace["pddl_problem"],
            walkthrough=tuple(trace["walkthrough"]),
        )
        found += differences(row, trace)
    assert found == []


def test_our_own_recordings_reach_every_verb_and_lose_a_goal_again(
    own_traces: tuple[dict[str, Any], ...],
) -> None:
    answers: Counter[str] = Counter()
    lost = 0
    for trace in own_traces:
        for segment in trace["segments"]:
            steps = segment["steps"]
            answers.update(step["obs"][:12] for step in steps)
            lost += sum(a["won"] and not b["won"] for a, b in pairwise(steps))
    verbs = ("arrive", "open the", "close the", "pick up", "move the", "clean the", "heat the")
    verbs += ("cool the", "turn on", "sliced the", "are carrying", "are facing", "are in the")
    for verb in verbs:
        assert any(answer.startswith(f"You {verb}"[:12]) for answer in answers), verb
    assert answers["Nothing happ"] > 100 and answers["This is a no"] > 0
    assert lost > 0 and num_steps(own_traces) > 1200

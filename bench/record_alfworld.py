"""Record how the reference engine plays: traces for tests/data, made with TextWorld itself.

    python -m gigym.bench.record_alfworld OUT.jsonl.xz

Needs `pip install 'gigym[alfworld]'`. Nothing of gigym's own engine takes part, nor of what makes
TextWorld faster here: games come from the generator and from the hand-written rooms below, texts
and verdicts from TextWorld as it is installed. Not one of the benchmarks.
"""

import argparse
import json
import lzma
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from ..envs.alfworld import PackRow
from ..envs.alfworld.generator import generate
from ..envs.alfworld.oddities import wander
from ..envs.alfworld.reference import game_text
from ..envs.alfworld.tables import KINDS
from ..envs.errors import need

RANDOM_STEPS = 24
STEPS_AFTER = 6
GAMES = (
    *(("tiny", "train", 1), ("small", "train", 1), ("medium", "test", 1)),
    *(("standard", "train", 1), ("standard", "test", 1)),
)
"""Difficulty, split and number of wanders; a game of each task type for each of them."""

_ROOM = """(define (problem {name}) (:domain alfred)
(:objects agent1 - agent
 Loc_bar_0 Loc_bar_1 Loc_bar_2 Loc_bar_3 Loc_bar_4 Loc_bar_5 - location
 SinkType SinkBasinType MicrowaveType FridgeType CabinetType CounterTopType ShelfType - rtype
 MugType AppleType KnifeType ButterKnifeType DeskLampType PotType RollType CurtainsType
 BreadType - otype
 Cabinet_bar_1 Cabinet_bar_2 CounterTop_bar_1 Shelf_bar_1 Fridge_bar_1 Microwave_bar_1
 Sink_bar_1 Sink_bar_1_bar_SinkBasin - receptacle
 Mug_bar_1 Mug_bar_2 Mug_bar_3 Apple_bar_1 Apple_bar_2 Knife_bar_1 ButterKnife_bar_1
 DeskLamp_bar_1 DeskLamp_bar_2 Pot_bar_1 Roll_bar_1 Curtains_bar_1 Bread_bar_1 - object)
(:init (= (total-cost) 0)
 (atLocation agent1 {start}) ; at the counter in one room, nowhere in the others
 (receptacleType Cabinet_bar_1 CabinetType) (receptacleAtLocation Cabinet_bar_1 Loc_bar_1)
 (receptacleType Cabinet_bar_2 CabinetType) (receptacleAtLocation Cabinet_bar_2 Loc_bar_1)
 (receptacleType CounterTop_bar_1 CounterTopType) (receptacleAtLocation CounterTop_bar_1 Loc_bar_2)
 (receptacleType Shelf_bar_1 ShelfType) (receptacleAtLocation Shelf_bar_1 Loc_bar_2)
 (receptacleType Fridge_bar_1 FridgeType) (receptacleAtLocation Fridge_bar_1 Loc_bar_3)
 (receptacleType Microwave_bar_1 MicrowaveType) (receptacleAtLocation Microwave_bar_1 Loc_bar_4)
 (receptacleType Sink_bar_1 SinkType) (receptacleAtLocation Sink_bar_1 Loc_bar_5)
 (receptacleType Sink_bar_1_bar_SinkBasin SinkBasinType)
 (receptacleAtLocation Sink_bar_1_bar_SinkBasin Loc_bar_5)
 (openable Cabinet_bar_1) (openable Cabinet_bar_2) (openable Fridge_bar_1)
 (openable Microwave_bar_1)
 {things}
 (inReceptacle Mug_bar_1 CounterTop_bar_1) (inReceptacle Mug_bar_1 Shelf_bar_1)
 (inReceptacle Mug_bar_2 Cabinet_bar_2) (inReceptacle Mug_bar_3 Fridge_bar_1)
 (inReceptacle Apple_bar_1 Fridge_bar_1) (inReceptacle Apple_bar_1 Shelf_bar_1)
 (inReceptacle Apple_bar_2 CounterTop_bar_1) (inReceptacle Bread_bar_1 CounterTop_bar_1)
 (inReceptacle Knife_bar_1 CounterTop_bar_1) (inReceptacle ButterKnife_bar_1 Cabinet_bar_1)
 (inReceptacle DeskLamp_bar_1 Cabinet_bar_1) (inReceptacle DeskLamp_bar_2 CounterTop_bar_1)
 (inReceptacle DeskLamp_bar_2 Shelf_bar_1) (inReceptacle Pot_bar_1 Shelf_bar_1)
 (inReceptacle Roll_bar_1 Shelf_bar_1)
 (objectAtLocation Mug_bar_1 Loc_bar_2) (objectAtLocation Mug_bar_2 Loc_bar_1)
 (objectAtLocation Mug_bar_3 Loc_bar_3) (objectAtLocation Apple_bar_1 Loc_bar_3)
 (objectAtLocation Apple_bar_1 Loc_bar_2) (objectAtLocation Apple_bar_2 Loc_bar_2)
 (objectAtLocation Knife_bar_1 Loc_bar_2) (objectAtLocation ButterKnife_bar_1 Loc_bar_1)
 (objectAtLocation DeskLamp_bar_1 Loc_bar_1) (objectAtLocation DeskLamp_bar_2 Loc_bar_2)
 (objectAtLocation Pot_bar_1 Loc_bar_2) (objectAtLocation Roll_bar_1 Loc_bar_2)
 (objectAtLocation Curtains_bar_1 Loc_bar_2) (objectAtLocation Bread_bar_1 Loc_bar_5)
 (isReceptacleObject Pot_bar_1) (inReceptacleObject Apple_bar_2 Pot_bar_1)
 (inReceptacleObject Bread_bar_1 Pot_bar_1) (isCool Apple_bar_1))
(:goal {goal}))"""
_KINDS = {
    "Mug": "pickupable cleanable heatable coolable",
    "Apple": "pickupable cleanable heatable coolable sliceable",
    "Knife": "pickupable cleanable",
    "ButterKnife": "pickupable cleanable",
    "DeskLamp": "toggleable pickupable",
    "Pot": "pickupable cleanable coolable isReceptacleObject",
    "Roll": "pickupable",
    "Curtains": "",
    "Bread": "sliceable pickupable heatable",
}
_NUMBERS = {"Mug": 3, "Apple": 2, "DeskLamp": 2}
_WALKTHROUGHS = {
    "two": "go to cabinet 1|open cabinet 1|take mug 2 from cabinet 1|go to shelf 1"
    "|move mug 2 to shelf 1",
    "look": "go to shelf 1|use desklamp 1|take apple 2 from shelf 1",
    "odd": "take knife 1 from countertop 1|go to sink 1|slice bread 1 with knife 1"
    "|go to fridge 1|open fridge 1",
}
_TOUR = (
    "go to countertop 1|take pot 1 from shelf 1|examine pot 1|move pot 1 to countertop 1|look"
    "|take knife 1 from countertop 1|slice apple 1 with knife 1|slice apple 2 with knife 1"
    "|slice bread 1 with knife 1|move knife 1 to shelf 1|take apple 1 from countertop 1"
    "|examine apple 1|go to microwave 1|heat apple 1 with microwave 1|examine apple 1|go to sink 1"
    "|clean apple 1 with sinkbasin 1|examine apple 1|go to fridge 1|cool apple 1 with fridge 1"
    "|examine apple 1|open fridge 1|move apple 1 to fridge 1|take mug 1 from fridge 1"
    "|examine mug 1|cool mug 1 with fridge 1|examine mug 1|go to sinkbasin 1"
    "|clean mug 1 with sink 1|examine mug 1|go to microwave 1|heat mug 1 with microwave 1"
    "|examine mug 1|go to countertop 1|move mug 1 to countertop 1|look|use desklamp 1"
    "|take desklamp 1 from countertop 1|examine desklamp 1|move desklamp 1 to shelf 1"
    "|take bread 1 from countertop 1|examine bread 1|go to microwave 1"
    "|heat bread 1 with microwave 1|examine bread 1|go to shelf 1|move bread 1 to countertop 1"
    "|take roll 1 from shelf 1|examine roll 1|go to cabinet 1|open cabinet 1|look|inventory"
)
"""Through every rule of the handmade room, the way `examine` tells of things above all."""
_GOALS = {
    "two": "(exists (?r - receptacle) (exists (?o1 - object) (and (objectType ?o1 MugType) "
    "(receptacleType ?r ShelfType) (inReceptacle ?o1 ?r) (exists (?o2 - object) (and "
    "(not (= ?o1 ?o2)) (objectType ?o2 MugType) (inReceptacle ?o2 ?r))))))",
    "look": "(and (exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and "
    "(objectType ?ot DeskLampType) (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l) "
    "(atLocation ?a ?l) (inReceptacle ?ot ?r))) (exists (?o - object ?a - agent) (and "
    "(objectType ?o AppleType) (holds ?a ?o))))",
    "odd": "(and (isSliced Bread_bar_1) (exists (?o - object ?r - receptacle) (and "
    "(inReceptacle ?o ?r) (opened ?r) (not (= ?o Mug_bar_2)) (objectType ?o MugType))))",
}


def handmade() -> Iterator[PackRow]:
    """One room with every oddity of the rules, under three goals."""
    for name, goal in _GOALS.items():
        start = "Loc_bar_2" if name == "odd" else "Loc_bar_0"
        yield PackRow(
            id=f"handmade/{name}",
            task=f"Your task is to: reach the {name} goal.",
            pddl_problem=_ROOM.format(name=name, start=start, things=_things(), goal=goal),
            walkthrough=tuple(_WALKTHROUGHS[name].split("|")),
        )


def _things() -> str:
    lines: list[str] = []
    for kind, traits in _KINDS.items():
        for place in ("CabinetType", "CounterTopType", "ShelfType", "FridgeType", "SinkType"):
            if kind != "Roll":
                lines.append(f"(canContain {place} {kind}Type)")
        for number in range(1, _NUMBERS.get(kind, 1) + 1):
            lines.append(f"(objectType {kind}_bar_{number} {kind}Type)")
            lines += [f"({trait} {kind}_bar_{number})" for trait in traits.split()]
    return "\n ".join(lines)


def record(game: PackRow, engine: Any, rng: Random, wanders: int) -> dict[str, Any]:  # noqa: ANN401
    """One game's trace: to the goal and on, then `wanders` times at random from the reset."""
    segments = [_segment(engine, rng, game.walkthrough, after) for after in (0, STEPS_AFTER)]
    if game.id.startswith("handmade/"):
        segments.append(_segment(engine, rng, _TOUR.split("|"), 0) | {"kind": "tour"})
    segments += [_segment(engine, rng, (), RANDOM_STEPS) for _ in range(wanders)]
    return {
        "id": game.id,
        "task": game.task,
        "pddl_problem": game.pddl_problem,
        "walkthrough": list(game.walkthrough),
        "segments": segments,
    }


def _segment(engine: Any, rng: Random, begin: Sequence[str], more: int) -> dict[str, Any]:  # noqa: ANN401
    """Play `begin` from a reset, then so many random commands, every fourth of them spoilt."""
    state = engine.reset()
    reset = _seen(state)
    steps: list[dict[str, Any]] = []
    for number in range(len(begin) + more):
        if number < len(begin):
            command = begin[number]
        else:
            command = wander(state["admissible_commands"], rng, number)
        state, _, _ = engine.step(command)
        steps.append({"action": command, **_seen(state)})
    kind = "random" if not begin else "onward" if more else "walkthrough"
    return {"kind": kind, "reset": reset, "steps": steps}


def _seen(state: Any) -> dict[str, Any]:  # noqa: ANN401
    admissible = list(state["admissible_commands"])
    return {"obs": state.feedback, "admissible": admissible, "won": state["won"]}


def _start(game: PackRow, folder: Path) -> Any:  # noqa: ANN401
    import textworld  # pyright: ignore[reportMissingImports]
    from alfworld.agents.environment.alfred_tw_env import (  # pyright: ignore[reportMissingImports]
        AlfredDemangler,
    )

    path = folder / "game.tw-pddl"
    path.write_text(json.dumps(game_text(game, None).tree()))
    asked = textworld.EnvInfos(won=True, admissible_commands=True)
    return textworld.start(str(path), asked, wrappers=[AlfredDemangler])


def _games() -> Iterator[tuple[PackRow, int]]:
    for block, (difficulty, split, wanders) in enumerate(GAMES):
        for number, kind in enumerate(KINDS):
            seed = block * len(KINDS) + number
            yield generate(seed, split=split, difficulty=difficulty, kind=kind), wanders
    yield from ((game, 8) for game in handmade())


def main() -> None:
    """Record all games and write the file."""
    need("textworld", "alfworld")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="trace file to write, .jsonl.xz")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, lzma.open(given.out, "wb") as stream:
        for number, (game, wanders) in enumerate(_games()):
            trace = record(game, _start(game, Path(folder)), Random(number), wanders)
            stream.write(json.dumps(trace, separators=(",", ":")).encode() + b"\n")


if __name__ == "__main__":
    main()

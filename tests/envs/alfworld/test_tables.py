"""The shipped tables are the counts of the official train games and nothing else."""

import json
import lzma
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from gigym.envs.alfworld.tables import FIXTURES, KINDS, tables

ROOMS = {0: "kitchen", 2: "living_room", 3: "bedroom", 4: "bathroom"}
TASK_TYPES = {
    "pick_and_place_simple": "place",
    "look_at_obj_in_light": "look",
    "pick_clean_then_place_in_recep": "clean",
    "pick_heat_then_place_in_recep": "heat",
    "pick_cool_then_place_in_recep": "cool",
    "pick_two_obj_and_place": "two",
}


def dense(histogram: dict[str, int], zeros: int = 0) -> list[int]:
    return [zeros, *(histogram.get(str(n), 0) for n in range(1, max(map(int, histogram)) + 1))]


def goals_of(ids: Iterable[str]) -> dict[str, Any]:
    goals: Any = {
        kind: defaultdict(lambda: defaultdict(lambda: defaultdict(int))) for kind in KINDS
    }
    for game_id in ids:
        task_type, thing, _, target, scene = game_id.split("/")[1].split("-")
        goals[TASK_TYPES[task_type]][ROOMS[int(scene) // 100]][target][thing] += 1
    return goals


def placed_of(room: dict[str, Any], can_contain: dict[str, list[str]]) -> dict[str, Any]:
    return {
        kind: {
            thing: number
            for thing, number in found["objects"].items()
            if thing in FIXTURES or thing in can_contain.get(kind, ())
        }
        for kind, found in room["receptacle_types"].items()
    }


def copies_of(room: dict[str, Any], placed: dict[str, Any]) -> dict[str, list[int]]:
    kept = {thing for things in placed.values() for thing in things}
    return {
        thing: dense(seen["count_hist"], room["games"] - seen["games_with"])
        for thing, seen in room["object_types"].items()
        if thing in kept
    }


def instances_of(room: dict[str, Any]) -> dict[str, int]:
    return {
        kind: sum(found["objects_per_receptacle_hist"].values())
        for kind, found in room["receptacle_types"].items()
    }


def derive(statistics: dict[str, Any], train_ids: Iterable[str]) -> dict[str, Any]:
    can_contain, rooms = statistics["can_contain"], statistics["rooms"]
    types, things = statistics["receptacle_type_instances"], statistics["object_properties"]
    targets = {TASK_TYPES[name]: found for name, found in statistics["task_types"].items()}
    placed = {room: placed_of(measured, can_contain) for room, measured in rooms.items()}
    kept = {t for kinds in placed.values() for found in kinds.values() for t in found}
    starts = {kind: found["target_initially_in"] for kind, found in targets.items()}
    return {
        "goals": goals_of(train_ids),
        "can_contain": can_contain,
        "placed": placed,
        "layouts": {room: list(m["layouts"].values()) for room, m in rooms.items()},
        "instances": {room: instances_of(measured) for room, measured in rooms.items()},
        "copies": {room: copies_of(measured, placed[room]) for room, measured in rooms.items()},
        "target_copies": {
            kind: dense(found["initial_target_objects_hist"]) for kind, found in targets.items()
        },
        "target_closed": {k: [s["closed"], s["closed"] + s["open"]] for k, s in starts.items()},
        "openable": {k: [f["openable"], f["n"]] for k, f in types.items() if f["openable"]},
        "properties": {
            thing: sorted(p for p, n in found.items() if p != "n" and 2 * n > found["n"])
            for thing, found in things.items()
            if thing in kept
        },
    }


def test_the_shipped_tables_are_the_counts_of_the_official_games(test_data: Path) -> None:
    folder = test_data / "alfworld"
    if not (folder / "statistics.json").exists():
        pytest.skip(f"no statistics.json in {folder}")
    statistics = json.loads((folder / "statistics.json").read_text())
    with lzma.open(folder / "train.jsonl.xz", "rt") as stream:
        derived = derive(statistics, [json.loads(line)["id"] for line in stream])
    shipped = asdict(tables())
    assert "MIT" in shipped.pop("about")
    assert json.loads(json.dumps(derived)) == shipped


def test_a_goal_needs_nothing_that_its_room_never_has() -> None:
    known = tables()
    for kind, rooms in known.goals.items():
        for room, targets in rooms.items():
            for target, things in targets.items():
                assert kind == "look" or target in known.instances[room]
                for thing in things:
                    assert any(thing in held for held in known.placed[room].values())
                    assert kind == "look" or thing in known.can_contain[target]


def test_likelihood_is_the_mean_number_of_objects_per_receptacle() -> None:
    known = tables()
    assert known.likelihood("kitchen", "CoffeeMachine", "Mug") == pytest.approx(649 / 1696)
    assert known.likelihood("kitchen", "CoffeeMachine", "Apple") == 0.0
    assert known.likelihood("bathroom", "Fridge", "Apple") == 0.0

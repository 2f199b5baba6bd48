"""Splits and ids: what seeds pick from, and that an id names its game wherever it is."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import gigym
from gigym.envs import BadOption, UnknownTask
from gigym.envs.alfworld import GameSet, PackRow, generate, write_pack

PARTS = {"train": 3, "valid_seen": 2, "valid_unseen": 1}


def rows(split: str) -> list[PackRow]:
    return [
        replace(generate(number, difficulty="tiny"), id=f"{split}/task_{number}/trial_{number}")
        for number in range(PARTS[split])
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split in PARTS:
        write_pack(tmp_path / f"{split}.jsonl.xz", rows(split))
    return tmp_path


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    path = tmp_path / "merged.jsonl"
    write_pack(path, [row for split in PARTS for row in rows(split)])
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as written:
        for row in (row for split in PARTS for row in rows(split)):
            tree = {
                "pddl_problem": row.pddl_problem,
                "grammar": f'"{row.task}"',
                "walkthrough": [*row.walkthrough],
                "solvable": True,
            }
            written.writestr(f"json_2.1.1/{row.id}/game.tw-pddl", json.dumps(tree))
    return path


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_a_release_has_its_splits_and_train_is_the_first(
    form: str, request: pytest.FixtureRequest
) -> None:
    games = str(request.getfixturevalue(form))
    env = gigym.make("ALFWorld-v0", games=games)
    assert (env.split, env.num_tasks) == ("train", 3)
    for split, count in PARTS.items():
        tasks = env.tasks(split)
        assert len(tasks) == count == gigym.make("ALFWorld-v0", games=games, split=split).num_tasks
        ids = [task.options["task"] for task in tasks]
        assert ids == [row.id for row in rows(split)]
        for task in tasks:
            assert env.start(task.seed, task.options).info["task_id"] == task.options["task"]
    with pytest.raises(BadOption, match="has no split 'test'"):
        env.tasks("test")


def test_a_pack_of_several_parts_is_played_whole_or_by_part(merged: Path) -> None:
    whole = gigym.make("ALFWorld-v0", games=str(merged))
    part = gigym.make("ALFWorld-v0", games=str(merged), split="valid_seen")
    assert (whole.split, whole.num_tasks) == (None, 6)
    assert (part.split, part.num_tasks) == ("valid_seen", 2)
    assert part.start(1).info["task_id"] == "valid_seen/task_1/trial_1"
    assert part.start(0, {"task": "train/task_2/trial_2"}).info["task_id"] == "train/task_2/trial_2"


def test_a_pack_of_one_part_is_played_whole_whatever_the_split(folder: Path) -> None:
    games = str(folder / "valid_seen.jsonl.xz")
    env = gigym.make("ALFWorld-v0", games=games, split="train")
    assert (env.split, env.num_tasks) == ("valid_seen", 2)
    with pytest.raises(UnknownTask, match="which holds 2 games"):
        env.start(0, {"task": "train/task_0/trial_0"})


@pytest.mark.parametrize(
    "name", ["a", "gen1/tiny/train/place/0", "x/y/z/w", "mit Umlaut \u00e4", ""]
)
def test_an_id_of_any_form_names_its_game(tmp_path: Path, name: str) -> None:
    write_pack(tmp_path / "odd.jsonl", [replace(generate(1, difficulty="tiny"), id=name)])
    env = gigym.make("ALFWorld-v0", games=str(tmp_path / "odd.jsonl"))
    assert env.reset(options={"task": name})[1]["task_id"] == name
    assert env.tasks()[0].options == {"task": name}


def test_generated_tasks_are_named_without_being_made() -> None:
    env = gigym.make("ALFWorld-v0", difficulty="small")
    for split in ("train", "test"):
        tasks = env.tasks(split)
        assert tasks.unlimited
        made = gigym.make("ALFWorld-v0", difficulty="small", split=split)
        for task in (tasks[0], tasks[17], tasks[-1]):
            assert made.start(task.seed).info["task_id"] == task.options["task"]


def test_official_ids_are_found_from_any_split_of_the_folder(
    test_data: Path, official: Callable[[str], GameSet]
) -> None:
    env = gigym.make("ALFWorld-v0", games=str(test_data / "alfworld"))
    assert env.num_tasks == 3553
    for name in official("valid_seen").ids[::20]:
        assert env.reset(options={"task": name})[1]["task_id"] == name

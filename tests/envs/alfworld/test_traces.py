"""Conformance: every recorded step of the reference engine, word for word."""

import json
import lzma
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gigym import GigymError
from gigym.envs import GameFileError, UnknownTask
from gigym.envs.alfworld import Replay, replay_traces

OWN_TRACES = Path(__file__).parents[2] / "data" / "alfworld_traces.jsonl.xz"


def test_recorded_steps_on_official_games_are_equal(test_data: Path) -> None:
    data = test_data / "alfworld"
    replay = replay_traces(data / "traces.jsonl.xz", data)
    assert replay == Replay(games=73, steps=7423, differences=())


def test_recorded_steps_on_our_own_games_are_equal() -> None:
    replay = replay_traces(OWN_TRACES)
    assert replay == Replay(games=33, steps=2015, differences=())


def spoilt(tmp_path: Path, own_traces: tuple[dict[str, Any], ...], **change: object) -> Path:
    """One recorded game, with something else in the answer to its second command."""
    trace = json.loads(json.dumps(own_traces[0]))
    trace["segments"][1]["steps"][1] |= change
    path = tmp_path / "traces.jsonl"
    path.write_text(json.dumps(trace) + "\n")
    return path


@pytest.mark.parametrize(
    "change",
    [
        {"obs": "You win!"},
        {"admissible": ["look"]},
        {"won": True},
        {"done": True},
        {"score": 1},
        {"state_key": "0" * 32},
    ],
)
def test_a_difference_is_told_with_its_place_and_both_values(
    tmp_path: Path, own_traces: tuple[dict[str, Any], ...], change: dict[str, object]
) -> None:
    (found,) = replay_traces(spoilt(tmp_path, own_traces, **change)).differences
    field, value = next(iter(change.items()))
    assert (found.game, found.segment, found.step) == (own_traces[0]["id"], "1 onward", 2)
    assert found.field == field and found.expected == value != found.got
    assert repr(found.action) in str(found) and repr(found.got) in str(found)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"id": "a"}', "\xff"])
def test_a_damaged_file_of_traces_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_bytes(text.encode("latin-1") + b"\n")
    with pytest.raises(GameFileError, match=r"traces\.jsonl, line [01]: not a readable file"):
        replay_traces(path)


def test_a_torn_archive_of_traces_is_told(tmp_path: Path) -> None:
    path = tmp_path / "torn.jsonl.xz"
    path.write_bytes(OWN_TRACES.read_bytes()[:5000])
    with pytest.raises(GameFileError, match="not a readable file of traces"):
        replay_traces(path)


def test_traces_of_games_that_are_not_here_are_told(
    tmp_path: Path, own_traces: tuple[dict[str, Any], ...]
) -> None:
    trace = {"id": "valid_seen/none", "segments": own_traces[0]["segments"]}
    path = tmp_path / "traces.jsonl.xz"
    path.write_bytes(lzma.compress(json.dumps(trace).encode()))
    with pytest.raises(UnknownTask, match="no generated game 'valid_seen/none'"):
        replay_traces(path)
    with pytest.raises(GigymError, match="has the engines native and textworld"):
        replay_traces(path, engine="inform")


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
    assert lost > 0


def test_our_own_recordings_have_every_difficulty_with_every_task_type(
    own_traces: tuple[dict[str, Any], ...],
) -> None:
    parts = [trace["id"].split("/") for trace in own_traces if trace["id"].startswith("gen")]
    kinds = {"place", "look", "clean", "heat", "cool", "two"}
    for difficulty in ("tiny", "small", "medium", "standard"):
        found = {kind for _, named, _, kind, _ in parts if named == difficulty}
        assert found == kinds, difficulty
    assert {part[2] for part in parts} == {"train", "test"}

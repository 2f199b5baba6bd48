"""Episode files: every line is ASCII JSON that reads back as the episode it was."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ladder_env import DIALOGUE, SPEC, UP, LatePool, engine, ladders, lines, pool

from gigym.agents import RecordError, Source, collect, read_episodes, write_episodes
from gigym.agents.record import EpisodeRecord, TurnCredit, episode_line, read_line
from gigym.grouping import Group, Steps, Turn, estimate
from gigym.grouping.types import Stop, Trajectory

LADDER = Source(env="Ladder-v0", env_version="1.0.0", split="train")


async def played(siblings: int = 3) -> tuple[Group, ...]:
    """Two groups with an episode lost in each."""
    hasty = replace(SPEC, siblings=siblings, env_deadline_s=0.4)
    late = LatePool(pool(), seed=0, stuck=(1, siblings))
    return await collect(ladders(0, 1), late, engine(), DIALOGUE, hasty)


def tree(line: str) -> dict[str, Any]:
    return json.loads(line, parse_constant=pytest.fail)


async def test_what_is_written_reads_back_whole(tmp_path: Path) -> None:
    groups = await played()
    path = tmp_path / "step-000004.jsonl"
    write_episodes(path, groups, step=4, source=LADDER)
    held = read_episodes(path)
    assert not held.torn
    assert len(held.episodes) == 6
    assert {(record.step, record.source) for record in held.episodes} == {(4, LADDER)}
    regrouped = [
        Group(
            task=group.task,
            trajectories=tuple(e for e in own if not e.stop.failed),
            failures=tuple(e for e in own if e.stop.failed),
        )
        for index, group in enumerate(groups)
        for own in [[r.trajectory for r in held.episodes if r.group == index]]
    ]
    assert lines(regrouped) == lines(groups)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000004.jsonl"]


async def test_arrays_keep_their_types_and_every_bit(tmp_path: Path) -> None:
    (group, _) = await played()
    episode = group.trajectories[0]
    odd = np.asarray([-1 / 3, -1e-30], np.float32)[: len(UP)]
    episode = replace(episode, turns=tuple(replace(t, logprobs=odd) for t in episode.turns))
    write_episodes(tmp_path / "e", [Group(task="t", trajectories=(episode,))])
    (record,) = read_episodes(tmp_path / "e").episodes
    assert record.trajectory.rows[0].dtype == np.int32
    assert (record.trajectory.rows[0] == episode.rows[0]).all()
    for turn in record.trajectory.turns:
        assert turn.logprobs.dtype == np.float32
        assert turn.logprobs.tobytes() == odd.tobytes()


async def test_each_turn_carries_its_credit_and_failures_carry_none(tmp_path: Path) -> None:
    groups = await played(siblings=5)
    credit = estimate(Steps.from_groups(groups), "gigpo")
    write_episodes(tmp_path / "e", groups, credit, step=1)
    row = 0
    for record in read_episodes(tmp_path / "e").episodes:
        if record.trajectory.stop.failed:
            assert record.credit == ()
            continue
        assert len(record.credit) == len(record.trajectory.turns)
        for given_ in record.credit:
            assert given_ == TurnCredit(
                returns=credit.returns[row],
                episode=credit.episode[row],
                step=credit.step[row],
                advantage=credit.advantage[row],
            )
            row += 1
    assert row == len(credit.advantage)


async def test_a_line_has_the_fields_of_schema_1() -> None:
    groups = await played()
    line = tree(lines(groups)[0])
    assert line["schema_version"] == 1
    assert (line["id"], line["group"], line["slot"]) == ("t-0-0-0", 0, 0)
    assert (line["task"], line["task_id"]) == (groups[0].task, "ladder-3")
    sampled = line["tokens"]["action"]
    assert line["policy_versions"] == [["0", 0, sampled]]
    assert line["tokens"]["prompt"] + sampled == len(line["tokens"]["rows"][0])
    assert line["failure"] is None
    for number, turn in enumerate(line["turns"]):
        assert turn["t"] == number
        assert line["texts"][turn["observation"]].startswith("You stand on rung")
        assert turn["logp_sum"] == sum(turn["logprobs"]) == 0.0
    assert len(line["texts"]) == len({turn["observation"] for turn in line["turns"]})
    failed = tree(lines([Group(task="t", trajectories=(), failures=groups[0].failures)])[0])
    assert failed["failure"]["code"] == "ENV_ERROR"
    assert "within 0.4 s" in failed["failure"]["message"]


def test_versions_that_change_within_an_episode_are_spans_over_its_tokens() -> None:
    turns = (
        turn(stop=6, weight_versions=(("3", 0, 2),)),
        turn(stop=9, weight_versions=(("3", 0, 1), ("4", 1, 5))),
    )
    line = tree(episode_line(record(*turns)))
    assert line["policy_versions"] == [["3", 0, 3], ["4", 3, 7]]


def turn(**given_: object) -> Turn:
    base: dict[str, object] = {
        "anchor": "a", "keys": ("a",), "state_key": None, "observation_key": "o", "action_key": "k",
        "row": 0, "start": 4, "stop": 6, "logprobs": np.zeros(2, np.float32),
        "weight_versions": (("0", 0, 2),), "finish_reason": "stop", "reward": 1.0,
        "terminated": False, "truncated": False, "valid": True, "admissible": None, "reason": "ok",
        "observation": "", "text": "", "action": "x",
    }  # fmt: skip
    return Turn(**{**base, **given_})  # pyright: ignore[reportArgumentType]


def record(*turns: Turn) -> EpisodeRecord:
    episode = Trajectory(
        task="t",
        index=0,
        rows=(np.zeros(9, np.int32),),
        turns=turns,
        final_anchor=None,
        stop=Stop.DONE,
    )
    return EpisodeRecord(source=Source(), step=0, group=0, trajectory=episode)


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_any_text_survives_in_one_ascii_line(observation: str, text: str, action: str) -> None:
    line = episode_line(record(turn(observation=observation, text=text, action=action)))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    (back,) = read_line(line).trajectory.turns
    assert (back.observation, back.text, back.action) == (observation, text, action)


@pytest.mark.parametrize("hostile", ["\ud800", "</script>", "\u2028", "\x00", "o:1f"])
def test_hostile_texts_survive(hostile: str) -> None:
    line = episode_line(record(turn(observation=hostile)))
    assert line.isascii()
    assert read_line(line).trajectory.turns[0].observation == hostile


def test_numbers_that_are_not_finite_are_null() -> None:
    odd = turn(reward=math.inf, logprobs=np.asarray([math.nan, -1.0], np.float32))
    line = tree(episode_line(record(odd)))
    assert line["return"] is None
    assert line["turns"][0]["reward"] is None
    assert line["turns"][0]["logprobs"] == [None, -1.0]
    (back,) = read_line(json.dumps(line)).trajectory.turns
    assert math.isnan(back.reward)


async def test_a_torn_last_line_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "e"
    write_episodes(path, await played())
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    held = read_episodes(path)
    assert (len(held.episodes), held.torn) == (5, True)
    path.write_bytes(b"")
    assert read_episodes(path).episodes == ()


async def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e"
    write_episodes(path, await played())
    good = path.read_text().splitlines()
    newer = json.dumps({**json.loads(good[1]), "schema_version": 2})
    for line, said in (
        ("{", "JSONDecodeError"),
        ("{}", "KeyError"),
        (newer, "schema_version must be 1"),
    ):
        path.write_text("\n".join([good[0], line, *good[2:]]) + "\n")
        with pytest.raises(RecordError, match=f"e:2: .*{said}"):
            read_episodes(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\n", "e: not a file of episodes: expected UTF-8, got byte 0xff at 0"),
        (b"[" * 100_000 + b"\n", "e:1: not an episode: nested too deeply"),
    ],
)
def test_a_file_of_something_else_is_no_crash(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "e"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=said):
        read_episodes(path)


async def test_ids_out_of_range_are_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "e"
    write_episodes(path, await played())
    huge = path.read_text().replace('"rows":[[', '"rows":[[99999999999,', 1)
    path.write_text(huge)
    with pytest.raises(RecordError, match="OverflowError"):
        read_episodes(path)

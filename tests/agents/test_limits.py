"""Replies that are no action, contexts that fill up, states that have no name."""

import itertools
from dataclasses import replace

import pytest
from ladder_env import DIALOGUE, SPEC, climb, engine, ladders, pool

from gigym.agents import AnchorMissing, collect, rollout_metrics
from gigym.agents.anchors import AnchorKind
from gigym.envs.types import digest
from gigym.grouping.types import Stop


async def test_a_reply_that_is_no_action_takes_a_turn_with_an_empty_action() -> None:
    (group,) = await collect(
        ladders(0), pool(max_steps=2), engine(lambda p, s: DIALOGUE.stop_token_ids), DIALOGUE, SPEC
    )
    for turn in group.trajectories[0].turns:
        assert (turn.valid, turn.admissible, turn.reason, turn.action) == (False, None, "empty", "")
        assert turn.action_key == digest("")
    assert group.trajectories[0].stop == Stop.TURN_LIMIT
    assert group.trajectories[0].turns[-1].truncated


async def test_a_reply_at_the_token_limit_is_cut_and_its_turn_is_closed_for_it() -> None:
    tight = replace(SPEC, max_action_tokens=1)
    (group,) = await collect(ladders(0), pool(max_steps=2), engine(climb), DIALOGUE, tight)
    episode = group.trajectories[0]
    first, second = episode.turns
    assert (first.finish_reason, first.reason, first.stop - first.start) == (
        "length",
        "truncated",
        1,
    )
    (end,) = DIALOGUE.stop_token_ids
    assert episode.rows[0][first.stop] == end
    assert second.start > first.stop + 1


async def test_an_inadmissible_action_is_sent_and_stays_valid() -> None:
    said = DIALOGUE.reply_ids("01")
    (group,) = await collect(
        ladders(0), pool(max_steps=1), engine(lambda p, s: said), DIALOGUE, SPEC
    )
    (turn,) = group.trajectories[0].turns
    assert (turn.valid, turn.admissible, turn.action) == (True, False, "01")


async def test_an_episode_that_outgrows_the_context_is_truncated() -> None:
    small = replace(SPEC, max_model_len=60)
    groups = await collect(ladders(0), pool(height=99), engine(climb), DIALOGUE, small)
    for episode in groups[0].trajectories:
        assert episode.stop == Stop.CONTEXT
        assert [turn.truncated for turn in episode.turns] == [False] * (len(episode.turns) - 1) + [
            True
        ]
        assert len(episode.rows[0]) <= 60
        assert all(turn.start + SPEC.max_action_tokens <= 60 for turn in episode.turns)
        assert episode.final_anchor is not None
    assert rollout_metrics(groups)["rollout/truncated/CONTEXT"] == 1.0


async def test_the_engine_limit_holds_as_well() -> None:
    (group,) = await collect(
        ladders(0), pool(height=99), engine(climb, max_model_len=60), DIALOGUE, SPEC
    )
    assert {episode.stop for episode in group.trajectories} == {Stop.CONTEXT}


async def test_an_episode_that_does_not_even_begin_within_the_context_has_no_turns() -> None:
    (group,) = await collect(
        ladders(0), pool(), engine(climb), DIALOGUE, replace(SPEC, max_model_len=7)
    )
    assert [(e.stop, e.turns, e.rows) for e in group.trajectories] == [(Stop.CONTEXT, (), ())] * 3


@pytest.mark.parametrize(
    ("kind", "levels"), [("state", 1), ("observation", 1), ("observation+admissible_actions", 2)]
)
async def test_the_anchor_is_chosen_and_its_keys_are_nested(kind: AnchorKind, levels: int) -> None:
    (group,) = await collect(ladders(0), pool(), engine(), DIALOGUE, replace(SPEC, anchor=kind))
    coarser: dict[str, str] = {}
    for turn in itertools.chain.from_iterable(e.turns for e in group.trajectories):
        assert turn.keys[0] == turn.anchor
        assert len(turn.keys) == levels
        for fine, coarse in itertools.pairwise(turn.keys):
            assert coarser.setdefault(fine, coarse) == coarse
    if kind == "state":
        assert group.trajectories[0].turns[0].anchor == "rung-0"


@pytest.mark.parametrize("kind", ["state", "observation+admissible_actions"])
async def test_an_anchor_that_the_environment_does_not_give_is_an_error(kind: AnchorKind) -> None:
    with pytest.raises(AnchorMissing, match=r"rollout\.anchor=observation"):
        await collect(ladders(0), pool(bare=True), engine(), DIALOGUE, replace(SPEC, anchor=kind))

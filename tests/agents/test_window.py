"""Window contexts: a row per turn, the task always in sight, the oldest turns left out first."""

from dataclasses import replace

from ladder_env import DIALOGUE, SPEC, by_chance, climb, engine, ladders, lines, pool

from gigym.agents import collect
from gigym.agents.prompt import Exchange
from gigym.envs import Reply
from gigym.grouping.types import Stop

WINDOW = replace(SPEC, context="window", history=2)
TASK = "You stand on rung 0 of 9. Your task is to: climb."


def seen(rung: int) -> str:
    return f"You stand on rung {rung} of 9."


async def test_each_turn_has_a_row_of_its_own_that_ends_in_its_reply() -> None:
    (group,) = await collect(ladders(0), pool(), engine(), DIALOGUE, WINDOW)
    for episode in group.trajectories:
        assert len(episode.rows) == len(episode.turns)
        for number, (row, turn) in enumerate(zip(episode.rows, episode.turns, strict=True)):
            assert (turn.row, turn.stop) == (number, len(row))
            assert tuple(row[turn.start :]) == DIALOGUE.reply_ids(turn.action)


async def test_a_window_shows_the_task_and_the_last_turns() -> None:
    (group,) = await collect(ladders(0), pool(height=9), engine(climb), DIALOGUE, WINDOW)
    episode = group.trajectories[0]
    first, now = Reply(observation=TASK), Reply(observation=seen(4))
    past = [Exchange(observation=seen(rung), action="up") for rung in (2, 3)]
    wanted = DIALOGUE.window(first, 2, past, now)
    assert tuple(episode.rows[4][: episode.turns[4].start]) == wanted
    assert len({len(row) for row in episode.rows[3:]}) == 1


async def test_without_history_only_the_task_and_the_present_are_shown() -> None:
    (group,) = await collect(
        ladders(0), pool(height=9), engine(climb), DIALOGUE, replace(WINDOW, history=0)
    )
    episode = group.trajectories[0]
    wanted = DIALOGUE.window(Reply(observation=TASK), 1, (), Reply(observation=seen(1)))
    assert tuple(episode.rows[1][: episode.turns[1].start]) == wanted


async def test_the_oldest_turns_are_left_out_where_the_window_does_not_fit() -> None:
    wide = replace(WINDOW, history=99)
    (roomy,) = await collect(ladders(0), pool(height=9), engine(climb), DIALOGUE, wide)
    longest = max(len(row) for row in roomy.trajectories[0].rows)
    tight = replace(wide, max_model_len=longest - 20)
    (group,) = await collect(ladders(0), pool(height=9), engine(climb), DIALOGUE, tight)
    for episode in group.trajectories:
        assert (episode.stop, len(episode.turns)) == (Stop.DONE, 9)
        prompts = [turn.start for turn in episode.turns]
        assert max(prompts) + tight.max_action_tokens <= tight.max_model_len


async def test_a_task_that_does_not_fit_alone_ends_the_episode() -> None:
    opening = len(DIALOGUE.opening(Reply(observation=TASK)))
    (group,) = await collect(
        ladders(0), pool(height=9), engine(climb), DIALOGUE,
        replace(WINDOW, max_model_len=opening + SPEC.max_action_tokens),
    )  # fmt: skip
    for episode in group.trajectories:
        assert (episode.stop, len(episode.turns)) == (Stop.CONTEXT, 1)
        assert episode.turns[0].truncated


async def test_both_contexts_start_from_the_same_prompt_and_are_deterministic() -> None:
    (append,) = await collect(ladders(0), pool(), engine(climb), DIALOGUE, SPEC)
    (window,) = await collect(ladders(0), pool(), engine(climb), DIALOGUE, WINDOW)
    start = append.trajectories[0].turns[0].start
    assert window.trajectories[0].turns[0].start == start
    assert (append.trajectories[0].rows[0][:start] == window.trajectories[0].rows[0][:start]).all()
    again = [await collect(ladders(0), pool(), engine(by_chance), DIALOGUE, WINDOW) for _ in "ab"]
    assert lines(again[0]) == lines(again[1])

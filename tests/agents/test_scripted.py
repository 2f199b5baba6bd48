"""Playing without a model."""

from dataclasses import replace

import pytest
from ladder_env import ACTIONS, UP, Ladder, by_chance, climb, engine, ladders, pool

from gigym.agents import GenFailure, RandomPolicy, SamplingSpec, play, play_seat
from gigym.agents.engine import Completion
from gigym.envs import Reply, Unsupported, make

SPEC = SamplingSpec(max_tokens=8, seed=1, stop_token_ids=UP[-1:])
(TASK,) = ladders(0)


async def test_the_engine_answers_what_the_function_says_as_if_it_were_certain() -> None:
    answer = await engine(climb).generate((1, 2, 3), SPEC, request_id="e/0", deadline_s=1)
    assert answer == Completion(
        token_ids=UP,
        logprobs=(0.0, 0.0),
        finish_reason="stop",
        weight_versions=(("0", 0, 2),),
        prompt_tokens=3,
    )


async def test_a_long_answer_is_cut_at_the_token_limit() -> None:
    short = replace(SPEC, max_tokens=1)
    answer = await engine(climb).generate((), short, request_id="e/0", deadline_s=1)
    assert isinstance(answer, Completion)
    assert (answer.token_ids, answer.finish_reason) == (UP[:1], "length")


async def test_an_answer_later_than_the_deadline_is_a_failure() -> None:
    late = engine(climb, latency=lambda request_id: 5.0)
    answer = await late.generate((), SPEC, request_id="e/0", deadline_s=0.01)
    assert isinstance(answer, GenFailure)
    assert (answer.code, answer.retryable) == ("timeout", True)


async def test_a_push_changes_the_version_of_later_tokens() -> None:
    scripted = engine(climb)
    assert (await scripted.push_weights((), "7")).version == "7"
    answer = await scripted.generate((), SPEC, request_id="e/0", deadline_s=1)
    assert isinstance(answer, Completion)
    assert answer.weight_versions == (("7", 0, 2),)
    await scripted.close()


def test_an_answer_can_depend_on_the_seed() -> None:
    assert len({by_chance((), replace(SPEC, seed=seed)) for seed in range(40)}) == len(ACTIONS)


def test_a_random_policy_draws_admissible_actions_and_repeats_itself() -> None:
    reply = Reply(observation="", admissible_actions=ACTIONS)
    first, second = RandomPolicy(3), RandomPolicy(3)
    drawn = [first.act(reply) for _ in range(30)]
    assert drawn == [second.act(reply) for _ in range(30)]
    assert set(drawn) == set(ACTIONS)


def test_a_random_policy_needs_a_list_of_actions() -> None:
    with pytest.raises(Unsupported, match="no admissible actions"):
        RandomPolicy(0).act(Reply(observation="", admissible_actions=None))


class Climber:
    def act(self, reply: Reply) -> str:
        return "up"


def test_play_tells_the_reset_and_every_action_until_the_end() -> None:
    transcript = play(Ladder(), Climber(), TASK, max_turns=9)
    assert [action for action, _ in transcript] == ["", "up", "up", "up"]
    assert [reply.terminated for _, reply in transcript] == [False, False, False, True]


def test_play_stops_at_its_limit() -> None:
    assert len(play(Ladder(), Climber(), TASK, max_turns=2)) == 3
    assert len(play(Ladder(), Climber(), TASK, max_turns=0)) == 1


async def test_play_is_the_same_on_a_seat() -> None:
    (seat,) = await pool().open(1)
    far = await play_seat(seat, RandomPolicy(5), TASK, max_turns=9)
    assert far == play(Ladder(), RandomPolicy(5), TASK, max_turns=9)


def test_an_expert_plays_alfworld_and_chance_seldom_wins() -> None:
    env = make("ALFWorld-v0", difficulty="small")
    won = {"expert": 0, "random": 0}
    for task in ladders(*range(0, 20, 2)):
        task = replace(task, env="ALFWorld-v0")
        expert = play(env, env.expert("state"), task, max_turns=30)
        won["expert"] += expert[-1][1].info["won"] is True
        chance = play(env, RandomPolicy(task.seed), task, max_turns=14)
        won["random"] += chance[-1][1].info["won"] is True
    assert won["expert"] == 10
    assert won["random"] <= 2

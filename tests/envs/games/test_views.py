"""The views of one seat: the contract of environments, opponents, experts, forks, tampering."""

import json
import os
import random
import subprocess
import sys
import warnings
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env

import gigym
from gigym.envs import BadOption, Reply, TextEnv, UnknownTask
from gigym.envs.games import Greedy, Halving, Honest, NegotiationEnv, TitForTat, TwentyQuestionsEnv

VIEWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Negotiation-v0", {}),
    ("Negotiation-v0", {"seat": 1, "opponent": "greedy", "reservation": True}),
    ("Negotiation-v0", {"opponent": "random", "reward": "pareto"}),
    ("Negotiation-v0", {"sealed": True}),
    ("TwentyQuestions-v0", {}),
    ("TwentyQuestions-v0", {"seat": 1, "opponent": "random"}),
    ("TwentyQuestions-v0", {"noise": 0.2, "shaped": True, "candidates": 9}),
)
view = pytest.mark.parametrize(("env_id", "options"), VIEWS)


def walk(env: TextEnv, reply: Reply, rng: random.Random, steps: int = 12) -> list[Reply]:
    """Replies of random commands and some nonsense."""
    replies = [reply]
    while not replies[-1].done and len(replies) <= steps:
        listed = replies[-1].admissible_actions or ()
        replies.append(env.answer(rng.choice((*listed, "nonsense"))))
    return replies


@view
def test_gymnasiums_checker_has_nothing_to_say(env_id: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gigym.make(env_id, **options), skip_render_check=True)


@view
def test_snapshots_and_forks_go_on_alike(env_id: str, options: dict[str, Any]) -> None:
    for seed in range(6):
        env, rng = gigym.make(env_id, **options), random.Random(seed)
        last = walk(env, env.start(seed), rng, steps=3)[-1]
        if last.done:
            continue
        other = gigym.make(env_id, **options)
        assert other.restore(env.snapshot()) == last
        one, two = env.fork(2)
        futures = [walk(e, last, random.Random(seed)) for e in (env, other, one)]
        assert futures[0] == futures[1] == futures[2]
        assert walk(two, last, random.Random(seed + 99)) and two.snapshot() != b""


@view
def test_tasks_have_ids_that_name_them(env_id: str, options: dict[str, Any]) -> None:
    env = gigym.make(env_id, num_tasks=5, **options)
    tasks = env.tasks()
    assert len(tasks) == 5 and len(env.tasks("test")) == 5
    assert [task.options["task"] for task in tasks] == [f"train/{n}" for n in range(5)]
    for task in tasks:
        by_seed, by_id = env.start(task.seed), env.start(999, task.options)
        assert by_seed == by_id and by_seed.info["task_id"] == task.options["task"]
    assert env.start(7).info["task_id"] == "train/2"
    assert gigym.make(env_id, split="test", **options).start(3).info["task_id"] == "test/3"
    assert env.start(0, {"task": "dev/3"}).info["task_id"] == "dev/3"
    with pytest.raises(UnknownTask):
        env.start(0, {"task": "valid/3"})


@view
def test_equal_keys_mean_equal_answers_within_a_task(env_id: str, options: dict[str, Any]) -> None:
    if env_id == "TwentyQuestions-v0":
        options = {**options, "full_key": True}
    seen: dict[tuple[str | None, str], Any] = {}
    for seed in range(25):
        env, rng = gigym.make(env_id, **options), random.Random(seed)
        reply = env.start(1)
        while not reply.done:
            action = rng.choice((*(reply.admissible_actions or ())[:3], "nonsense"))
            key, reply = reply.state_key, env.answer(action)
            told = (reply.state_key, reply.reward, reply.done, reply.info["valid"])
            assert seen.setdefault((key, action), told) == told


def test_the_seat_and_its_opponent_are_options() -> None:
    for seat in (0, 1):
        reply = gigym.make("Negotiation-v0", seat=seat).start(0)
        assert reply.info["agent"] == f"agent_{seat}"
        assert f"You are agent_{seat}" in reply.observation
    with pytest.raises(BadOption, match="Did you mean 'greedy'"):
        gigym.make("Negotiation-v0", opponent="greddy")
    with pytest.raises(BadOption, match="seat must be 0 or 1, got 2"):
        gigym.make("Negotiation-v0", seat=2)
    with pytest.raises(BadOption, match="There are: honest"):
        gigym.make("TwentyQuestions-v0", opponent="greedy")
    env = gigym.make("Negotiation-v0")
    env.start(0)
    with pytest.raises(BadOption, match="the snapshot is of seat 'agent_0' against 'tit_for_tat'"):
        gigym.make("Negotiation-v0", opponent="greedy").restore(env.snapshot())


def mean_return(env: TextEnv, kind: Any, episodes: int = 12) -> float:  # noqa: ANN401
    """What an expert earns."""
    total = 0.0
    for seed in range(episodes):
        reply, expert = env.start(seed), env.expert(kind)
        while not reply.done:
            reply = env.answer(expert.act(reply))
            total += reply.reward
    return total / episodes


def test_experts_and_opponents_reach_their_scores() -> None:
    assert mean_return(NegotiationEnv(), "state") > 0.65
    assert mean_return(NegotiationEnv(opponent="greedy"), "state") > 0.85
    assert mean_return(NegotiationEnv(), "observation") > 0.5
    assert mean_return(NegotiationEnv(sealed=True), "state", 6) > 0.8
    assert mean_return(TwentyQuestionsEnv(), "state") == 1.0
    assert mean_return(TwentyQuestionsEnv(seat=1), "observation") == 1.0
    assert isinstance(TwentyQuestionsEnv(seat=1).expert(), Honest)
    assert isinstance(TwentyQuestionsEnv().expert("observation"), Halving)


@view
@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "won", '{"reward": 1}', "say " + "\n" * 9, "x" * 1_000_000]
)
def test_no_text_pays_or_raises(env_id: str, options: dict[str, Any], text: str) -> None:
    env = gigym.make(env_id, **options)
    reply = env.start(0)
    paid = 0.0
    while not reply.done:
        reply = env.answer(text)
        paid += reply.reward
        assert reply.info["valid"] is False
    assert paid <= 0.45 * 2 and reply.info["won"] is False  # a partner's fallback at most
    assert reply.info["forfeits"] == [reply.info["agent"]]
    if options.get("reward") != "pareto" and env_id == "Negotiation-v0":
        assert paid == 0.0


@pytest.mark.parametrize(
    "moves",
    [
        ["propose book=9 hat=9 ball=9 pen=9 cup=9 key=9 lamp=9 coin=9", "accept"],
        ["accept", "accept"],
        ["say accept\naccept", "say agent_1: accept", "say reward=1"],
        ["say I accept for agent_1.\nagent_1 accept", "agent_1: accept"],
    ],
)
def test_a_deal_needs_the_partner(moves: list[str]) -> None:
    for seed in range(12):
        env = NegotiationEnv(opponent="greedy")
        reply = env.start(seed)
        if reply.info["knowledge"]["offers"]:  # type: ignore[index, call-overload]  # pyright: ignore
            continue
        for move in moves:
            if not reply.done:
                reply = env.answer(move)
            assert reply.reward == 0.0 and reply.info["won"] is False


def test_the_reward_of_a_question_game_needs_the_object() -> None:
    env = TwentyQuestionsEnv(candidates=64)
    for seed in range(10):
        reply = env.start(seed)
        hidden = env.game.position.state.hidden
        wrong = [c for c in reply.admissible_actions or () if c.startswith("guess")]
        wrong.remove(f"guess {hidden}")
        spam = [" and ".join(wrong), f"guess {hidden}, or not", *wrong[:3]]
        for action in spam:
            assert not reply.done
            reply = env.answer(action)
            assert reply.reward == 0.0
        assert reply.done and reply.info["won"] is False


def test_commands_are_made_of_the_vocabulary_and_numbers() -> None:
    for env in (NegotiationEnv(), TwentyQuestionsEnv(candidates=8)):
        words = env.vocabulary()
        assert len(words) == len(set(words)) and all(word == word.strip() for word in words)
        reply, expert = env.start(0), env.expert()
        while not reply.done:
            action = expert.act(reply)
            left = action
            for word in sorted(words, key=len, reverse=True):
                left = left.replace(word, "")
            assert not left.strip(" 0123456789="), action
            reply = env.answer(action)


TRACE = """
import json, random, gigym
told = []
for env_id, options in json.loads(input()):
    env, rng = gigym.make(env_id, **options), random.Random(4)
    for seed in range(4):
        reply = env.start(seed)
        while not reply.done:
            told.append([reply.observation, reply.state_key, reply.reward])
            reply = env.answer(rng.choice(reply.admissible_actions))
        told.append([reply.observation, reply.state_key, reply.reward, dict(reply.info)])
print(json.dumps(told))
"""


def test_processes_with_other_hash_seeds_play_alike() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", TRACE],
            input=json.dumps(VIEWS),
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    ]
    assert told[0] == told[1] and len(json.loads(told[0])) > 50


def test_scripts_do_not_look_at_the_other_side() -> None:
    env = NegotiationEnv(reservation=True)
    for seed in range(20):
        reply = env.start(seed)
        for script in (Greedy(), TitForTat()):
            assert script.act(reply) == script.act(Reply(observation="", info=reply.info))
        assert set(reply.info["knowledge"]) == {  # type: ignore[arg-type]  # pyright: ignore
            "items",
            "pool",
            "values",
            "reservation",
            "first",
            "sealed",
            "turns",
            "turns_left",
            "offers",
            "said",
        }

"""Ways to the reward that are not the task: none of them pays."""

import itertools
import re

import pytest

from gigym.envs.math_tools import KINDS, MathToolsEnv, generate, judge

_FRACTION = re.compile(r"\(?-?\d+\)?( / \d+)?")
PROBLEM = "word/3/17"
TRUTH = generate("word", 17, 3).answer


def reward(*actions: str, task: str = PROBLEM) -> float:
    env = MathToolsEnv()
    env.start(0, {"task": task})
    total = 0.0
    for action in actions:
        reply = env.answer(action)
        total += reply.reward
        if reply.done:
            break
    return total


def test_the_truth_pays() -> None:
    assert reward(f"<answer>{TRUTH}</answer>") == 1.0


@pytest.mark.parametrize(
    "action",
    [
        f"<calculator>{TRUTH}</calculator>",
        f"<output>{TRUTH}</output>",
        f"<output><answer>{TRUTH}</answer></output><calculator>1</calculator>",
        f"<think><answer>{TRUTH}</answer></think>",
        f"<think>the answer is <answer>{TRUTH}</answer>",
        f"<answer>{TRUTH}",
        f"{TRUTH}",
        f"<answer>{TRUTH}</answer> but really <answer>0</answer>",
        f"<answer>{TRUTH} or 0</answer>",
        f"<answer>0, {TRUTH}</answer>",
        f"<answer>{{0, {TRUTH}}}</answer>",
        f"<answer>{TRUTH} {TRUTH}</answer>",
        f"<answer>{TRUTH}, {TRUTH}</answer>",
        f"<answer>+-{TRUTH}</answer>",
        f"<answer>{TRUTH} + 0</answer>",
        f"<answer>{TRUTH} * 1</answer>",
        f"<answer>{TRUTH}%</answer>",
        f"<answer>0 = {TRUTH}</answer>",
        f"<answer>0 \\neq {TRUTH}</answer>",
        f"<answer>\\text{{0 or }}{TRUTH}</answer>",
        "<answer>" + "".join(chr(0x660 + int(d)) for d in TRUTH if d.isdigit()) + "</answer>",
        "<answer>" + "".join(chr(0xFF10 + int(d)) for d in TRUTH if d.isdigit()) + "</answer>",
        "<answer>" + ", ".join(map(str, range(60))) + "</answer>",
        "<answer>the right answer</answer>",
        "<answer>answer</answer>",
        "<answer>Correct.</answer>",
        "<answer>True</answer>",
        "<answer>None</answer>",
        "<answer>*</answer>",
        "<answer></answer>",
        "<answer>{answer}</answer>",
        "<answer>nan</answer>",
        "<answer>inf</answer>",
        "<answer>__import__('builtins')</answer>",
        "Correct.",
        "won",
        "reward = 1",
        '{"won": true, "reward": 1}',
        '{"name": "answer", "arguments": {"answer": "' + TRUTH + '"}}',
        '{"name": "submit", "arguments": {"code": "' + TRUTH + '"}}',
    ],
)
def test_another_way_does_not(action: str) -> None:
    assert reward(action) == 0.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("difficulty", [1, 3, 5])
def test_the_question_is_no_answer(kind: str, difficulty: int) -> None:
    for seed in range(10):
        problem = generate(kind, seed, difficulty)
        parts = problem.question.replace("?", ".").split(". ")
        computed = problem.question.removeprefix("Compute ").partition(". Give")[0]
        repeated = [problem.question, computed, *parts]
        if problem.rules.form != "countdown":
            repeated += [work for work in problem.work if not _FRACTION.fullmatch(work)]
        for answer in repeated:
            factors = problem.meta.get("ask") == "factors" and "*" not in answer
            judged = judge(answer, problem.answer, problem.rules)
            assert factors or not judged.correct, (problem.id, answer)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "countdown"])
def test_a_list_of_guesses_is_no_answer(kind: str) -> None:
    for seed, difficulty in itertools.product(range(10), (1, 2)):
        problem = generate(kind, seed, difficulty)
        if problem.rules.form not in ("number", "digits"):
            continue
        for hedge in (f"{problem.answer} or 0", f"0, {problem.answer}", f"{problem.answer}; 1"):
            assert not judge(hedge, problem.answer, problem.rules).correct, (problem.id, hedge)


def test_code_for_the_calculator_is_only_read() -> None:
    for code in ("__import__('os').system('false')", "exit()", "open('/etc/passwd')", "[].append"):
        env = MathToolsEnv()
        env.start(0)
        reply = env.answer(f"<calculator>{code}</calculator>")
        assert reply.observation.startswith("<output>error: ") and reply.info["failed_calls"] == 1


def test_one_episode_pays_once() -> None:
    env = MathToolsEnv()
    env.start(0, {"task": PROBLEM})
    frozen = env.snapshot()
    assert env.answer(f"<answer>{TRUTH}</answer>").reward == 1.0
    with pytest.raises(Exception, match="the episode is over"):
        env.answer(f"<answer>{TRUTH}</answer>")
    assert env.restore(frozen).reward == 0.0


def test_no_reply_tells_the_answer_before_it_is_given() -> None:
    env = MathToolsEnv(difficulty=4)
    for seed in range(20):
        reply = env.start(seed)
        problem = env.episode.problem
        if problem.kind == "countdown":
            continue
        wrong = env.answer("<answer>no</answer>")
        for told in (str(dict(reply.info)), wrong.observation, str(dict(wrong.info))):
            assert problem.answer not in told or len(problem.answer) < 4

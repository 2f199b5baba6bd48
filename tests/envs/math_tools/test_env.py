"""MathToolsEnv: one episode's life, its limits, snapshots, the names others rely on."""

import json
import warnings
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env

import gigym
from gigym.envs import BadOption, EpisodeError, Reply, UnknownTask, Unsupported
from gigym.envs.math_tools import DIFFICULTIES, KINDS, MathToolsEnv, generate, tool_schemas
from gigym.envs.math_tools.calculator import show
from gigym.envs.math_tools.tools import SHOWN, shortened
from gigym.envs.types import JsonValue

TASK = {"task": "word/3/17"}


def played(env: MathToolsEnv, *actions: str, task: str = "word/3/17") -> list[Reply]:
    replies = [env.start(0, {"task": task})]
    return replies + [env.answer(action) for action in actions]


def test_the_names_of_the_gymnasium_edge() -> None:
    env = gigym.make("MathTools-v0", difficulty=2)
    text, info = env.reset(seed=3)
    kind, level, seed = str(info["task_id"]).split("/")
    assert (kind, int(level), int(seed) % 2) == (info["kind"], 2, 0)
    assert text.startswith(generate(kind, int(seed), 2).question)
    assert "<calculator>" in text and "<answer>" in text and "<tool_call>" in text
    assert info["won"] is False and info["valid"] is True and info["tool_calls"] == 0
    assert len(info["state_key"]) == 32 and "admissible_actions" not in info
    assert env.num_tasks is None and env.split == "train" and env.card.max_steps == 10


def test_gymnasiums_own_checker_has_nothing_to_say() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gigym.make("MathTools-v0"), skip_render_check=True)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("tools", ["calculator", "none"])
def test_the_expert_always_wins(difficulty: int, tools: str) -> None:
    env = MathToolsEnv(difficulty=difficulty, tools=tools)
    called = 0
    for seed in range(6 * len(KINDS)):
        reply, expert = env.start(seed), env.expert("state")
        rewards: list[float] = []
        while not reply.done:
            reply = env.answer(expert.act(reply))
            rewards.append(reply.reward)
        assert reply.terminated and reply.info["won"] is True, reply
        assert rewards == [0.0] * (len(rewards) - 1) + [1.0]
        assert reply.info["failed_calls"] == 0
        called += int(str(reply.info["tool_calls"]))
    assert (called > 0) == (tools == "calculator")


def test_the_expert_keeps_to_the_limits() -> None:
    for turns, calls in ((1, 8), (2, 8), (10, 0)):
        env = MathToolsEnv(kinds="linear", difficulty=4, max_steps=turns, max_tool_calls=calls)
        reply, expert = env.start(0), env.expert()
        while not reply.done:
            reply = env.answer(expert.act(reply))
        assert reply.info["won"] is True
    with pytest.raises(Unsupported, match="expert 'state' only"):
        MathToolsEnv().expert("observation")


def test_seeds_go_round_the_kinds_and_splits_share_no_problem() -> None:
    ids = {
        split: [MathToolsEnv(split=split).start(s).info["task_id"] for s in range(30)]
        for split in ("train", "test")
    }
    assert [str(i).split("/")[0] for i in ids["train"][:10]] == list(KINDS)
    assert len(set(ids["train"])) == 30 and not set(ids["train"]) & set(ids["test"])
    assert all(int(str(i).split("/")[2]) % 2 == 0 for i in ids["train"])
    assert all(int(str(i).split("/")[2]) % 2 == 1 for i in ids["test"])


def test_task_sets_name_the_tasks_that_resets_start() -> None:
    env = MathToolsEnv(kinds="word,linear", difficulty=3)
    for split in ("train", "test"):
        tasks = env.tasks(split)
        other = MathToolsEnv(kinds=["word", "linear"], difficulty=3, split=split)
        for task in tasks[:5]:
            started = other.start(task.seed)
            assert task.options == {"task": started.info["task_id"]}
            assert env.start(0, task.options).observation == started.observation


def test_any_id_can_be_started_whatever_the_options_are() -> None:
    reply = MathToolsEnv(kinds="linear").start(0, TASK)
    assert reply.info["task_id"] == "word/3/17" and reply.info["difficulty"] == 3


def test_a_call_is_answered_and_an_error_costs_nothing() -> None:
    _, first, second, third = played(
        MathToolsEnv(),
        "<calculator>1/3 + 1/6</calculator>",
        '{"name": "calculator", "arguments": {"expression": "10**10**10"}}',
        "<answer>wrong</answer>",
    )
    assert first.observation == "<output>1/2</output>" and not first.done
    assert second.observation.startswith("<output>error: exponent too large")
    assert (second.info["tool_calls"], second.info["failed_calls"]) == (2, 1)
    assert second.info["valid"] is True and second.reward == 0.0
    assert (third.terminated, third.reward, third.info["won"]) == (True, 0.0, False)


def test_a_turn_that_is_nothing_does_nothing_and_says_so() -> None:
    env = MathToolsEnv()
    start, first, second = played(env, "hm", "<python>print(1)</python>")
    assert first.info["valid"] is False and first.state_key == start.state_key
    assert "neither a tool call nor a final answer" in first.observation
    assert "the tool python is not offered" in second.observation
    assert second.info["tool_calls"] == 0 and not second.done


def test_the_turn_limit_is_six_for_chains_and_ten_otherwise() -> None:
    env = MathToolsEnv()
    for task, limit in (("arith_chain/1/0", 6), ("word/1/0", 10), ("arith_chain/1/0", 6)):
        replies = played(env, *["hm"] * limit, task=task)
        assert [reply.truncated for reply in replies] == [False] * limit + [True]
        assert f"You have {limit} turns." in replies[0].observation
    assert played(MathToolsEnv(max_steps=2), "hm", "hm")[-1].truncated
    last = played(MathToolsEnv(max_steps=1), f"<answer>{generate('word', 17, 3).answer}</answer>")
    assert last[-1].terminated and not last[-1].truncated and last[-1].reward == 1.0


def test_asking_for_a_call_beyond_the_budget_ends_the_episode() -> None:
    env = MathToolsEnv(max_tool_calls=2)
    *_, second, third = played(env, *["<calculator>1+1</calculator>"] * 3)
    assert not second.done
    assert third.truncated and not third.terminated and third.info["tool_calls"] == 2
    with pytest.raises(EpisodeError, match="the episode is over"):
        env.answer("<answer>1</answer>")


def test_the_reward_can_be_scaled() -> None:
    answer = f"<answer>{generate('word', 17, 3).answer}</answer>"
    assert played(MathToolsEnv(reward_scale=10), answer)[-1].reward == 10.0


def test_spellings_of_one_computation_reach_one_state_and_others_do_not() -> None:
    def key(*actions: str) -> str | None:
        return played(MathToolsEnv(), *actions)[-1].state_key

    one = key("<calculator>1+2*3</calculator>")
    assert one == key("I think: <calculator> 1 + (2*3) </calculator>")
    assert one == key('{"name": "calculator", "arguments": {"expression": "1 + 2*3"}}')
    assert one == key("hm", "<calculator>1+2*3</calculator>")
    others = [
        key(),
        key("<calculator>2*3+1</calculator>"),
        key("<calculator>1+2*3</calculator>", "<calculator>1+2*3</calculator>"),
        key("<calculator>1+2*3</calculator>", "<answer>0</answer>"),
    ]
    assert len({one, *others}) == 5


def test_a_snapshot_goes_on_elsewhere() -> None:
    env = MathToolsEnv()
    played(env, "<calculator>2**100</calculator>", "hm")
    frozen = env.snapshot()
    json.loads(frozen)
    elsewhere = MathToolsEnv(kinds="linear", split="test")
    reply = elsewhere.restore(frozen)
    actions = ("<calculator>1/7</calculator>", f"<answer>{generate('word', 17, 3).answer}</answer>")
    for action in actions:
        assert env.answer(action) == elsewhere.answer(action)
    assert reply.info["tool_calls"] == 1


def test_twins_do_not_touch_each_other() -> None:
    env = MathToolsEnv()
    played(env, "<calculator>1+1</calculator>", task="arith_chain/1/0")
    first, second = env.fork(2)
    first.answer("<calculator>5+5</calculator>")
    assert second.answer("hm").info["tool_calls"] == 1
    assert env.episode.calls == second.episode.calls != first.episode.calls
    assert first.max_steps == 6


@pytest.mark.parametrize(
    "frozen",
    [
        None,
        {},
        {"task": "word/3/17"},
        {"task": "word/3/17", "calls": [["a"]], "failed_calls": 0},
        {"task": "word/3/17", "calls": [], "failed_calls": 0, "verdict": [1]},
        {"task": "word/3/17", "calls": {}, "failed_calls": 0, "verdict": None},
    ],
)
def test_damaged_snapshots_are_told(frozen: JsonValue) -> None:
    with pytest.raises(BadOption, match="not a frozen episode"):
        MathToolsEnv().thaw(frozen)
    with pytest.raises(UnknownTask, match="the snapshot's problem is not here"):
        MathToolsEnv().thaw({"task": "nothing"})


@pytest.mark.parametrize(
    "text",
    ["", " ", "\x00", "\ud800", "\u202e<answer>5</answer>", "a" * 1_000_000, "<answer>" * 99_999,
     "<answer></answer>", "<calculator></calculator>", "<answer>\ud800</answer>", "{" * 9_999,
     "<calculator>\ud800\x00</calculator>", '{"name": "calculator", "arguments": {}}'],
)  # fmt: skip
def test_any_text_is_answered(text: str) -> None:
    for tools in ("none", "calculator"):
        reply = played(MathToolsEnv(tools=tools), text)[-1]
        assert reply.reward == 0.0 and reply.observation and reply.info["won"] is False


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kinds": "words"}, "no kind of problem 'words'. Did you mean 'word'"),
        ({"kinds": ""}, "no kind of problem ''"),
        ({"difficulty": 6}, "difficulty must be 1 to 5, got 6"),
        ({"split": "dev"}, "no split 'dev'; MathTools-v0 has: train, test"),
        ({"tools": "shell"}, "no tool 'shell'; there are: calculator, python, or none"),
        ({"max_tool_calls": -1}, "max_tool_calls must not be negative, got -1"),
        ({"reward_scale": 0}, "reward_scale must be above 0"),
        ({"reward_scale": float("nan")}, "reward_scale must be above 0"),
        ({"reward_scale": 11}, "at most 10"),
        ({"max_steps": 0}, "max_steps must be at least 1"),
        ({"dataset": "a.jsonl", "reasoning_gym": "b"}, "not both"),
    ],
)
def test_a_wrong_option_is_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        gigym.make("MathTools-v0", **options)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"task": "word/9/1"}, UnknownTask, "no generated problem"),
        ({"task": 7}, BadOption, "must be the id of a problem, got 7"),
        ({"problem": "x"}, BadOption, "no reset option 'problem'"),
    ],
)
def test_a_wrong_reset_option_is_told(
    options: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        MathToolsEnv().start(0, options)


def test_tools_are_described_as_chat_apis_want_them() -> None:
    assert MathToolsEnv(tools="none").tool_schemas() == []
    (schema,) = MathToolsEnv().tool_schemas()
    assert schema["type"] == "function" and json.dumps(schema)
    names = [tool["function"]["name"] for tool in tool_schemas()]  # type: ignore[index,call-overload]
    assert names == ["calculator", "python"]
    assert schema["function"]["parameters"]["required"] == ["expression"]  # type: ignore[index,call-overload]


def test_a_long_result_keeps_its_head_and_tail() -> None:
    *_, reply = played(MathToolsEnv(), "<calculator>7**9999</calculator>")
    shown = reply.observation.removeprefix("<output>").removesuffix("</output>")
    whole = show(7**9999)
    head, marker, tail = shown.split("\n")
    assert len(shown) == SHOWN and whole.startswith(head) and whole.endswith(tail)
    assert marker == f"... [{len(whole) - len(head) - len(tail)} characters cut] ..."
    assert shortened("a" * SHOWN) == "a" * SHOWN


def test_the_vocabulary_says_what_the_questions_say() -> None:
    words = set(MathToolsEnv().vocabulary())
    assert {"<calculator>", "</answer>", "7", "apples", "remainder"} <= words
    assert all(word == word.strip() and word for word in words)
    for seed in range(100, 160):
        text = MathToolsEnv(kinds="word", difficulty=1).start(seed).observation
        told = [w for w in text.replace("<", " <").split() if w.strip(".,()?").isalpha()]
        missing = {w.strip(".,()?") for w in told} - words - {"I", "a", "A", "B"}
        assert not {w for w in missing if not any(w in phrase for phrase in words)}

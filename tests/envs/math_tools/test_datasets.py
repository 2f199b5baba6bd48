"""Data of the user's: JSON lines, parquet, saved folders; errors that name the file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

import gigym
from gigym.envs import BadOption, GameFileError, UnknownTask
from gigym.envs.math_tools import MathToolsEnv, read_problems
from gigym.envs.math_tools.rows import true_answer

SAVED = Path(__file__).parents[2] / "data" / "math_dataset"


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def outcome(env: MathToolsEnv, task: str, answer: str) -> object:
    env.start(0, {"task": task})
    return env.answer(f"<answer>{answer}</answer>").info["won"]


def test_rows_of_every_kind_are_played(tmp_path: Path) -> None:
    path = written(
        tmp_path / "mine.jsonl",
        {"question": "6 * 7?", "answer": "6 * 7 = <<6*7=42>>42\n#### 42"},
        {"question": "Half?", "answer": "so \\boxed{\\frac{1}{2}}", "percent_ok": True},
        {"problem": "Root?", "solution": "$\\boxed{2\\sqrt{2}}$", "id": "root"},
        {"question": "Both?", "answer": "{1, -1}", "form": "set"},
        {"question": "How far?", "answer": "12", "units": ["km", "kilometres"]},
        {"question": "About?", "answer": 3.14, "tol": 0.01, "kind": "rough", "difficulty": 2},
        {"question": "Make 7", "answer": "3 + 4", "form": "countdown", "numbers": [3, 4],
         "target": 7},
    )  # fmt: skip
    env = MathToolsEnv(dataset=str(path))
    assert env.num_tasks == 7
    ids = [str(env.start(seed).info["task_id"]) for seed in range(8)]
    assert ids[:3] == ["mine/1", "mine/2", "root"] and ids[7] == ids[0]
    assert [task.options["task"] for task in env.tasks()] == ids[:7]
    for task, right, wrong in (
        ("mine/1", "42", "6 * 7"),
        ("mine/2", "50%", "50"),
        ("mine/4", "x = \\pm 1", "1"),
        ("mine/5", "12 km", "12 miles"),
        ("mine/6", "3.145", "3.2"),
        ("mine/7", "4 + 3", "7"),
    ):
        assert outcome(env, task, right) is True and outcome(env, task, wrong) is False, task
    assert env.start(5).info["kind"] == "rough" and env.start(5).info["difficulty"] == 2


def test_a_formula_of_a_row_is_compared_as_one(tmp_path: Path) -> None:
    pytest.importorskip("math_verify", reason="the extra `math` is not installed")
    path = written(tmp_path / "a.jsonl", {"question": "Root?", "answer": "\\boxed{2\\sqrt{2}}"})
    env = MathToolsEnv(dataset=path)
    env.start(0)
    reply = env.answer("It is \\boxed{\\sqrt{8}}")
    assert reply.info["won"] is True and reply.info["checker"] == "symbolic"


def test_the_expert_wins_on_the_data_of_others(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"question": "2?", "answer": "#### 1,234"})
    env = MathToolsEnv(dataset=path)
    reply = env.start(0)
    assert env.answer(env.expert().act(reply)).reward == 1.0


def test_a_folder_has_parts_and_a_file_is_one(tmp_path: Path) -> None:
    written(tmp_path / "train.jsonl", {"question": "1?", "answer": "1"})
    written(tmp_path / "test.jsonl", *({"question": f"{n}?", "answer": n} for n in (2, 3)))
    env = gigym.make("MathTools-v0", dataset=str(tmp_path), split="test")
    assert env.num_tasks == 2 and len(env.tasks("train")) == 1
    assert MathToolsEnv(dataset=tmp_path / "test.jsonl").num_tasks == 2
    with pytest.raises(BadOption, match="is one file, so it has no split 'test'"):
        MathToolsEnv(dataset=tmp_path / "test.jsonl", split="test")
    (tmp_path / "train.jsonl").unlink()
    with pytest.raises(GameFileError, match=r"has no split 'train'.*it holds: test\.jsonl"):
        MathToolsEnv(dataset=tmp_path)


def test_a_json_array_and_a_changed_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"question": "1?", "answer": "1"}]))
    assert read_problems(str(path), "train").problems[0].question == "1?"
    path.write_text(json.dumps([{"question": "changed?", "answer": "1"}]))
    assert read_problems(str(path), "train").problems[0].question == "changed?"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{broken", "line 2: not JSON"),
        ("[" * 5_000, "not JSON"),
        ("[1]", "line 2: a row must be an object, got list"),
        ('{"answer": "1"}', "line 2: no key 'question' or 'problem'; the keys are: answer"),
        ('{"question": "1?"}', "line 2: no key 'answer' or 'solution'"),
        ('{"question": ["1?"], "answer": "1"}', "line 2: question must be text, got list"),
        ('{"question": "1?", "answer": null}', "line 2: answer must be text, got NoneType"),
        ('{"question": "1?", "answer": "####  "}', "line 2: the answer is empty"),
        ('{"question": "1?", "answer": "%s"}' % ("7" * 201), "line 2: the answer has 201"),
        ('{"question": "1?", "answer": "1", "form": "x"}', "line 2: form must be one of auto"),
        ('{"question": "1?", "answer": "1", "units": 5}', "line 2: units must be a list of words"),
        ('{"question": "1?", "answer": "1", "units": [""]}', "line 2: units must be a list"),
        ('{"question": "1?", "answer": "1", "tol": -1}', "line 2: tol must be a number"),
        ('{"question": "1?", "answer": "1", "tol": "x"}', "line 2: tol must be a number"),
        ('{"question": "1?", "answer": "1", "percent_ok": 1}', "percent_ok must be true or false"),
        ('{"question": "1?", "answer": "1", "numbers": ["1"]}', "numbers must be a list of whole"),
        ('{"question": "1?", "answer": "1", "target": "7"}', "target must be a whole number"),
        ('{"question": "1?", "answer": "1", "id": "rows/1"}', "the id 'rows/1' is given twice"),
    ],
)
def test_a_row_that_is_none_is_named_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "0?", "answer": "0"}\n' + line + "\n")
    with pytest.raises(GameFileError) as caught:
        MathToolsEnv(dataset=path)
    assert told in str(caught.value) and "rows.jsonl" in str(caught.value)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty.jsonl", tmp_path / "binary.jsonl"
    empty.write_text("\n\n")
    binary.write_bytes(b"\xff\xfe\x00")
    for path, told in (
        (empty, "holds no problems"),
        (binary, "cannot be read as UTF-8"),
        (tmp_path / "none.jsonl", "no data set at"),
    ):
        with pytest.raises(GameFileError, match=told):
            MathToolsEnv(dataset=path)


def test_a_name_that_the_data_lacks_is_told(tmp_path: Path) -> None:
    env = MathToolsEnv(dataset=written(tmp_path / "a.jsonl", {"question": "1?", "answer": "1"}))
    with pytest.raises(UnknownTask, match="which holds 1 problems; the first is 'a/1'"):
        env.start(0, {"task": "word/3/17"})


def test_what_datasets_saved_is_read_without_it() -> None:
    pytest.importorskip("pyarrow", reason="the extra `data` is not installed")
    train, test = (MathToolsEnv(dataset=SAVED, split=split) for split in ("train", "test"))
    assert (train.num_tasks, test.num_tasks) == (3, 2)
    assert train.start(2).observation.startswith("What is 500 plus 500?")
    assert outcome(train, "train/2", "1,000") is True
    assert outcome(test, "test/0", "50%") is True and outcome(test, "test/1", "12 km") is True
    assert MathToolsEnv(dataset=SAVED / "test").num_tasks == 2


def test_parquet_is_read_and_a_broken_file_told(tmp_path: Path) -> None:
    pyarrow: Any = pytest.importorskip("pyarrow", reason="the extra `data` is not installed")
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    rows = [{"question": f"{n}?", "answer": f"#### {n}"} for n in range(5)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "test.parquet")
    env = MathToolsEnv(dataset=tmp_path, split="test")
    assert env.num_tasks == 5 and outcome(env, "test/3", "3") is True
    (tmp_path / "train.parquet").write_bytes(b"not parquet")
    with pytest.raises(GameFileError, match=r"train\.parquet: cannot be read"):
        MathToolsEnv(dataset=tmp_path)


@pytest.mark.parametrize(
    "state", ["", "{}", '{"_data_files": [{"filename": "../../secret.arrow"}]}', "[]"]
)
def test_a_damaged_folder_is_told_and_leads_nowhere(tmp_path: Path, state: str) -> None:
    pytest.importorskip("pyarrow", reason="the extra `data` is not installed")
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "state.json").write_text(state)
    with pytest.raises(GameFileError, match="cannot be read") as caught:
        MathToolsEnv(dataset=tmp_path)
    assert ".." not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("#### 7", "7"),
        ("a #### 6 #### 7", "7"),
        ("\\boxed{6} then \\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("\\boxed{6", "\\boxed{6"),
        (" 7 ", "7"),
    ],
)
def test_the_final_answer_of_a_solution(text: str, answer: str) -> None:
    assert true_answer(text) == answer

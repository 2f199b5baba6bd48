"""What a run shows while it works: a table on a terminal, plain lines elsewhere."""

import io
import re

import pytest
from rich.console import Console

from gigym.cli.live import COLUMNS, LiveProgress, fitting, listener
from gigym.trainer.progress import LineProgress

METRICS = {
    "success": 0.5,
    "return": 5.0,
    "rollout/invalid_share": 0.07,
    "credit/singleton_share": 0.25,
    "time/rollout": 1.0,
    "time/learn": 2.0,
    "time/iteration": 3.5,
}


def drawn(width: int) -> str:
    """Two iterations and a long work on a terminal of this width."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    with LiveProgress(console) as progress:
        progress.say("scoring \x1b[31m[bold]the agent")
        progress.work("cloning", 1, 2)
        progress.work("cloning", 2, 2)
        progress.iteration(METRICS, 1, 2)
        progress.iteration(METRICS, 2, 2)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue().replace("\r", "\n"))


def test_each_iteration_is_a_row_under_one_head() -> None:
    lines = [line.split() for line in drawn(140).splitlines()]
    heads = [words for words in lines if words[:2] == ["success", "return"]]
    rows = [words for words in lines if words and words[0] in ("1/2", "2/2")]
    assert len(heads) == 1 and len(rows) == 2
    row = dict(zip(heads[0], rows[0][1:], strict=True))
    assert row["success"] == "50.0%" and row["alone"] == "25.0%"
    assert row["other"] == "0.5"
    assert row["grad"] == "-"


def test_a_narrow_terminal_keeps_the_weightiest_columns_in_order() -> None:
    kept = [column.title for column in fitting(COLUMNS, 40)]
    assert kept[:2] == ["success", "return"]
    assert kept == [column.title for column in COLUMNS if column.title in kept]
    assert all(len(line) <= 60 for line in drawn(60).splitlines() if "success" in line)


def test_texts_of_a_run_are_neither_markup_nor_control_codes() -> None:
    assert "scoring \\x1b[31m[bold]the agent" in drawn(100)


def test_without_a_terminal_an_iteration_is_one_line_of_key_value_pairs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listener() as progress:
        assert isinstance(progress, LineProgress)
        progress.iteration(METRICS, 3, 30)
    printed = capsys.readouterr()
    assert printed.out == ""
    pairs = dict(word.split("=") for word in printed.err.split())
    assert pairs["iteration"] == "3/30" and pairs["success"] == "0.5"


def test_a_long_work_prints_its_end_and_little_else(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LineProgress()
    for done in range(1, 1001):
        progress.work("cloning", done, 1000)
    assert capsys.readouterr().err == "cloning 1000/1000\n"

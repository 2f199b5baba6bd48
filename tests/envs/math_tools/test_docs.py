"""The page on mathematics says what the environment does."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gigym.envs.math_tools import KINDS, Call, MathToolsEnv, parse_turn
from gigym.envs.math_tools.operations import FUNCTIONS

PAGE = (Path(__file__).parents[3] / "docs" / "math_tools.md").read_text(encoding="utf-8")


def test_the_first_program_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)[0]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/math_tools.md", "exec"), names)  # noqa: S102 - our own page
    assert capsys.readouterr().out == "<output>86697</output>\n1.0 True 1\n"


def test_every_option_kind_and_function_is_told() -> None:
    options = set(inspect.signature(MathToolsEnv).parameters)
    assert options == set(re.findall(r"^\| `(\w+)` \|", PAGE.split("`info` holds")[0], flags=re.M))
    assert all(f"`{kind}`" in PAGE for kind in KINDS)
    assert " ".join(FUNCTIONS) in " ".join(PAGE.split())


def test_every_form_of_a_call_is_read() -> None:
    lines = re.findall(r"```text\n(.*?)```", PAGE, flags=re.S)[0].strip().splitlines()
    said = [parse_turn(line) for line in lines]
    tools = [call.tool for call in said if isinstance(call, Call)]
    assert tools == ["calculator", "python", "calculator", "python"]
    assert json.loads(lines[1])["name"] == "python"

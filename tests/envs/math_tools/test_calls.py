"""Turns: every format of a call and of an answer, and which of them counts."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.envs.math_tools import Call, Final, Malformed, parse_turn
from gigym.envs.math_tools.canonical import canonical

SUM = Call(tool="calculator", code="1+2")
HELLO = Call(tool="python", code="print(1)")
NATIVE = '{"name": "calculator", "arguments": {"expression": "1+2"}}'


def python(code: str) -> str:
    return json.dumps({"name": "python", "arguments": {"code": code}})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NATIVE, SUM),
        (f"  {NATIVE}\n", SUM),
        (f"<tool_call>{NATIVE}</tool_call>", SUM),
        (f"Let me see.\n<tool_call>\n{NATIVE}\n</tool_call>", SUM),
        (f"<tool_call>{NATIVE}</tool_call><tool_call>{python('2')}</tool_call>", SUM),
        ('{"name": "calculator", "parameters": {"expression": "1+2"}}', SUM),
        ('{"name": "calculator", "arguments": "{\\"expression\\": \\"1+2\\"}"}', SUM),
        ('{"type": "function", "function": ' + NATIVE + "}", SUM),
        ('{"role": "assistant", "tool_calls": [{"id": "1", "function": ' + NATIVE + "}]}", SUM),
        ("<calculator>1+2</calculator>", SUM),
        ("<CALCULATOR> 1+2 </Calculator>", SUM),
        ("First <calculator>1+2</calculator> and <python>print(1)</python>", SUM),
        ("<python>\nprint(1)\n</python>", HELLO),
        ("<python>```python\nprint(1)\n```</python>", HELLO),
        ("Run it:\n```python\nprint(1)\n```", HELLO),
        ("Run it:\n```py\nprint(1)\n```  \n", HELLO),
        ("<think><calculator>9</calculator></think><calculator>1+2</calculator>", SUM),
        (f"<python>print(1)</python><tool_call>{NATIVE}</tool_call>", SUM),
        ("<answer>5</answer>", Final(answer="5")),
        ("so <answer> 5 </answer>.", Final(answer="5")),
        ("<answer>4</answer> no, <answer>5</answer>", Final(answer="5")),
        (r"It is \boxed{4}, no, \boxed{\frac{1}{2}}.", Final(answer=r"\frac{1}{2}")),
        ("Answer: 5", Final(answer="5")),
        ("Answer: 4\nAnswer: 5", Final(answer="5")),
        ("**Final Answer:** 5", Final(answer="5")),
        ("The answer = 5", Final(answer="5")),
        (r"<answer>5</answer> \boxed{6}", Final(answer="5")),
        ("<calculator>1+2</calculator><answer>3</answer>", Final(answer="3")),
        ("<answer>3</answer><calculator>1+2</calculator>", SUM),
        ("```python\nprint(1)\n```\nSo <answer>1</answer>", Final(answer="1")),
        ("<calculator>1+2<answer>3</answer>", Final(answer="3")),
        ("<think>\\boxed{9}</think><answer>5</answer>", Final(answer="5")),
    ],
)
def test_what_a_turn_says(text: str, said: Call | Final) -> None:
    assert parse_turn(text) == said


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither"),
        ("hello", "neither"),
        ("<think><answer>5</answer>", "neither"),
        ("<think>so <answer>5</answer></think>", "neither"),
        ("<answer>5", "neither"),
        ("5</answer>", "neither"),
        ("</answer>5<answer>", "neither"),
        (r"\boxed{5", "neither"),
        ("Answer:", "neither"),
        ("```python\nprint(1)", "neither"),
        ("```python\nprint(1)\n``` and then", "neither"),
        ("```\nprint(1)\n```", "neither"),
        ("<calculator>1+2", "neither"),
        ('{"name": "shell", "arguments": {"code": "1"}}', "there is no tool 'shell'"),
        ('{"name": "calculator"}', "one argument 'expression'"),
        ('{"name": "calculator", "arguments": {"code": "1"}}', "one argument 'expression'"),
        ('{"name": "calculator", "arguments": {"expression": 3}}', "must be a string"),
        ("<tool_call>{broken</tool_call>", "no JSON object"),
        ("<tool_call>[1]</tool_call>", "no JSON object"),
        ('<tool_call>{"name": "python", "name": "calculator"}</tool_call>', "no JSON object"),
        ("<tool_call>" + "[" * 20_000 + "</tool_call>", "no JSON object"),
        ("<tool_call>NaN</tool_call>", "no JSON object"),
        ("x" * 70_000, "longer than 65536"),
    ],
)
def test_what_is_no_turn_is_told(text: str, reason: str) -> None:
    said = parse_turn(text)
    assert isinstance(said, Malformed) and reason in said.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<calculator>1</calculator><calculator>2</calculator>", "more than one tool call"),
        ("<calculator>1</calculator><answer>2</answer>", "both a tool call and an answer"),
        ("<answer>2</answer><calculator>1</calculator>", "both a tool call and an answer"),
        ("<answer>1</answer><answer>2</answer>", "more than one answer"),
        ("<calculator>1</calculator><python>", "<python> is not closed"),
        ("<answer>1</answer><answer>", "<answer> is not closed"),
    ],
)
def test_a_strict_reader_wants_one_thing_a_turn(text: str, reason: str) -> None:
    said = parse_turn(text, strict=True)
    assert isinstance(said, Malformed) and reason in said.reason
    assert not isinstance(parse_turn(text), Malformed)


@pytest.mark.parametrize("text", [NATIVE, "<calculator>1+2</calculator>", "<answer>1</answer>"])
def test_a_strict_reader_takes_one_thing(text: str) -> None:
    assert parse_turn(text, strict=True) == parse_turn(text)


@pytest.mark.parametrize(
    "code",
    [
        "print('<answer>5</answer>')",
        r"print('\boxed{5}')",
        "# Answer: 5\nprint(1)",
        "print('<calculator>1</calculator>')",
        "x = '<tool_call>{}'",
    ],
)
def test_an_answer_quoted_in_code_is_none(code: str) -> None:
    for text in (f"<python>{code}</python>", f"```python\n{code}\n```", python(code)):
        assert parse_turn(text) == Call(tool="python", code=code), text


@pytest.mark.parametrize(
    "text",
    [
        "<answer>" * 8_000,
        "</answer>" * 7_000,
        "<python>" * 8_000,
        "<tool_call>" * 5_900,
        "\\boxed{" * 9_000,
        "{" * 65_000,
        "```python\n" * 6_000 + "```",
        "answer: " * 8_000,
        "*_#> " * 13_000,
        "<think>" * 9_000 + "</think>" * 100,
        "<calculator></calculator>" * 2_600,
        "\n" * 65_000,
    ],
)
def test_a_hostile_turn_is_read_in_time(text: str) -> None:
    start = time.process_time()
    parse_turn(text)
    parse_turn(text, strict=True)
    assert time.process_time() - start < 2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<answer>",
                "</answer>",
                "<python>",
                "</python>",
                "<calculator>",
                "</calculator>",
                "<tool_call>",
                "</tool_call>",
                "```python\n",
                "```",
                "\\boxed{",
                "}",
                "{",
                '"name"',
                "<think>",
                "</think>",
                "Answer:",
                " 5 ",
                "\n",
                "\ud800",
                "\x00",
                "\u0130",
            ]
        ),
        max_size=14,
    )
)
def test_any_turn_is_one_of_three(pieces: list[str]) -> None:
    for strict in (False, True):
        assert isinstance(parse_turn("".join(pieces), strict=strict), Call | Final | Malformed)


@pytest.mark.parametrize(
    ("tool", "one", "other"),
    [
        ("calculator", "1+2*3", " 1 + (2 * 3) "),
        ("calculator", "2 \u00d7 3", "2*3"),
        ("python", "x=1\nprint( x )", "# a remark\nx = 1\n\nprint(x)"),
        ("python", "print('a')", 'print("a")'),
        ("python", "not python at all", "  not python at all\n"),
    ],
)
def test_spellings_of_one_computation_have_one_name(tool: str, one: str, other: str) -> None:
    assert canonical(Call(tool=tool, code=one)) == canonical(Call(tool=tool, code=other))


@pytest.mark.parametrize(
    ("tool", "one", "other"),
    [
        ("calculator", "1+2", "2+1"),
        ("calculator", "1-2-3", "1-(2-3)"),
        ("python", "print(1)", "print(1.0)"),
        ("python", "print(True)", "print(1)"),
        ("python", "if x:\n  a\nb", "if x:\n  a\n  b"),
    ],
)
def test_other_computations_have_other_names(tool: str, one: str, other: str) -> None:
    assert canonical(Call(tool=tool, code=one)) != canonical(Call(tool=tool, code=other))


@pytest.mark.parametrize(
    "code",
    [
        "-" * 5_000 + "1",
        "(" * 500,
        "x = " * 500 + "1",
        "\x00",
        "\ud800",
        "'\\d'",
        "a" * 30_000,
        "if x:\n" + "\n".join(" " * n + "if x:" for n in range(1, 90)),
    ],
)
def test_odd_code_has_a_name(code: str) -> None:
    assert isinstance(canonical(Call(tool="python", code=code)), str)
    assert isinstance(canonical(Call(tool="calculator", code=code)), str)

"""The symbolic level: formulas, in a process of its own that may be killed."""

import os
import time
from pathlib import Path

import pytest

from gigym.envs.math_tools import judge, symbolic
from gigym.envs.math_tools.helper_process import Helper, HelperDied, HelperTimeout

pytest.importorskip("math_verify", reason="the extra `math` is not installed")

SCRIPT = """
import json, os, sys, time
print('"ready"', flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    if ask == "die":
        os._exit(3)
    if ask == "hang":
        time.sleep(60)
    print(json.dumps([ask, os.getpid()]), flush=True)
"""


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        (r"\sqrt{8}", r"2\sqrt{2}"),
        (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}"),
        ("(x+1)^2", "x^2 + 2x + 1"),
        (r"\pi/2", r"\frac{\pi}{2}"),
        ("\u03c0/2", r"\frac{\pi}{2}"),
        (r"[0, \pi)", r"[0,\pi)"),
        ("2", r"\sqrt{4}"),
        (r"1 \pm \sqrt{2}", r"1 + \sqrt{2}, 1 - \sqrt{2}"),
        ("x^2 + y^2", "y^2 + x^2"),
        ("e^{x^2} + 1", "1 + e^{x^2}"),
        (r"4 \cdot 2^{1000}", "2^{1002}"),
    ],
)
def test_equal_formulas_are_equal(answer: str, truth: str) -> None:
    assert judge(answer, truth, None, symbolic.compare).correct


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        (r"\sqrt{7}", r"2\sqrt{2}"),
        ("2.8284271247461903", r"2\sqrt{2}"),
        ("2.828", r"2\sqrt{2}"),
        (r"\sqrt{8}, \sqrt{7}", r"2\sqrt{2}"),
        (r"\sqrt{8} or 3", r"2\sqrt{2}"),
        (r"\{\sqrt{8}\}", r"2\sqrt{2}"),
        (r"x = \sqrt{8}, x = 1", r"2\sqrt{2}"),
        (r"(0, \pi)", r"[0,\pi)"),
        ("y", "x"),
        ("", r"2\sqrt{2}"),
        ("{{{", r"2\sqrt{2}"),
        (r"\undefinedcommand{3}", r"2\sqrt{2}"),
        ("__import__('os')", r"2\sqrt{2}"),
        ("$x$ $y$", "x"),
        ("\x00", "x^2"),
        ("\ud800", "x^2"),
    ],
)
def test_other_formulas_are_not(answer: str, truth: str) -> None:
    assert not judge(answer, truth, None, symbolic.compare).correct


@pytest.mark.parametrize("answer", ["9^{9^{9^{9}}}", "2^{99999999}", "99999!", "7!!!!", "9" * 60])
def test_a_tower_is_not_even_asked(answer: str) -> None:
    before = symbolic.counts().calls
    assert not symbolic.compare(answer, r"\sqrt{2}").correct
    assert symbolic.counts().calls == before


def test_a_comparison_without_end_is_cut_off_counted_and_followed_by_others() -> None:
    assert symbolic.compare(r"\sqrt{8}", r"2\sqrt{2}").correct
    before, start = symbolic.counts(), time.monotonic()
    verdict = symbolic.compare("(x+y+z+1)^{900}", r"\sqrt{2} x", seconds=0.5)
    assert (verdict.correct, verdict.fault) == (False, "timeout")
    assert time.monotonic() - start < 5
    assert symbolic.counts().timeouts == before.timeouts + 1
    assert symbolic.compare(r"\sqrt{8}", r"2\sqrt{2}").correct


def test_a_helper_that_dies_or_hangs_is_replaced(tmp_path: Path) -> None:
    script = tmp_path / "helper.py"
    script.write_text(SCRIPT)
    helper = Helper(script)
    first = pid_of(helper, "a")
    assert pid_of(helper, "b") == first
    with pytest.raises(HelperDied):
        helper.ask("die", 5)
    second = pid_of(helper, "c")
    with pytest.raises(HelperTimeout):
        helper.ask("hang", 0.2)
    third = pid_of(helper, "d")
    assert len({first, second, third}) == 3
    helper.close()
    for pid in (first, second, third):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def pid_of(helper: Helper, ask: str) -> int:
    answer = helper.ask(ask, 5)
    assert isinstance(answer, list) and answer[0] == ask and isinstance(answer[1], int)
    return answer[1]


def test_a_helper_that_cannot_start_is_told(tmp_path: Path) -> None:
    script = tmp_path / "helper.py"
    script.write_text("raise SystemExit(1)")
    with pytest.raises(HelperDied):
        Helper(script).ask("a", 5)

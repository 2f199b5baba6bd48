"""Levels are what the layers make, and only what was proved."""

import copy
import os
import sys
from dataclasses import replace

import pytest

from gigym.envs.errors import BadOption
from gigym.envs.sandbox import (
    Limits,
    LocalSandbox,
    Outcome,
    SandboxTooWeak,
    local_sandbox,
    probe,
    strength,
)
from gigym.envs.sandbox.canaries import proved_level
from gigym.envs.sandbox.inside import seccomp
from gigym.envs.sandbox.inside.plan import Plan
from gigym.envs.sandbox.launch import furnish


@pytest.mark.parametrize(
    "plan, level",
    [
        (Plan(), 1),
        (Plan(landlock=7), 1),
        (Plan(namespaces=True), 2),
        (Plan(seccomp=True), 2),
        (Plan(namespaces=True, view=True), 3),
        (Plan(namespaces=True, landlock=1), 3),
        (Plan(bubblewrap=True), 3),
        (Plan(landlock=1, seccomp=True), 4),
        (Plan(bubblewrap=True, seccomp=True), 4),
    ],
)
def test_layers_make_the_levels_of_the_table(plan: Plan, level: int) -> None:
    assert plan.level == level


@pytest.mark.parametrize(
    "plan, level",
    [(Plan(), 1), (Plan(seccomp=True), 2)],
    ids=["limits alone", "system calls alone"],
)
def test_a_plan_proves_no_more_than_its_layers(plan: Plan, level: int) -> None:
    if sys.platform != "linux" or probe().level < 4:
        pytest.skip("needs every layer of Linux")
    assert proved_level(furnish(plan, ())) == (level, "")


def test_a_promise_that_does_not_hold_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    if probe().level < 4:
        pytest.skip("needs every layer of Linux")
    monkeypatch.setattr(Plan, "level", property(lambda _: 4))
    assert proved_level(furnish(Plan(), ())) == (1, "code reached a server of the host")
    hollow = replace(Plan(), seccomp=True)
    assert proved_level(furnish(hollow, ())) == (2, "code read or wrote a file of the host")


def test_below_the_required_level_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    strength._strongest.cache_clear()
    try:
        assert probe().level == 0
        with pytest.raises(SandboxTooWeak, match="level 0 of the required 3") as caught:
            local_sandbox()
    finally:
        strength._strongest.cache_clear()
    assert (caught.value.level, caught.value.required_level) == (0, 3)
    for words in ("darwin has none of the layers", "run on Linux", "RemoteSandbox(url)", "doctor"):
        assert words in str(caught.value)
    assert str(copy.copy(caught.value)) == str(caught.value)


@pytest.mark.parametrize("level", [0, 5, -1])
def test_a_level_that_does_not_exist_is_refused(level: int) -> None:
    with pytest.raises(BadOption, match="must be 1 to 4"):
        local_sandbox(level)


def test_one_sandbox_serves_the_whole_process() -> None:
    if probe().level < 1:
        pytest.skip("no sandbox here")
    assert local_sandbox(1) is local_sandbox(1)
    assert isinstance(local_sandbox(1), LocalSandbox)


def test_the_report_says_what_to_do() -> None:
    report = probe()
    assert [row.name for row in report.rows][-1] in ("proof", "platform")
    assert all(bool(row.remedy) != row.works for row in report.rows)
    assert not report.works("no such feature")


def test_user_namespaces_hold_where_root_is_not_given_up() -> None:
    if os.geteuid() != 0 or probe().level < 4:
        pytest.skip("needs root, to stop being root")
    plan = next(plan for plan in strength.plans() if plan.view and not plan.drop)
    with LocalSandbox(plan) as sandbox:
        outcome = sandbox.run("import os; print(os.getuid())", Limits())
    assert (outcome.output, sandbox.level) == ("65534\n", 4)


@pytest.mark.parametrize("machine", seccomp.SUPPORTED)
def test_filters_jump_within_themselves(machine: str) -> None:
    code = seccomp.program(machine, 1)
    assert len(code) % 8 == 0 and len(code) // 8 < 4096
    for place in range(0, len(code), 8):
        operation, farthest = code[place], max(code[place + 2], code[place + 3])
        assert operation in (0x20, 0x15, 0x35, 0x06)
        assert place // 8 + farthest + 1 <= len(code) // 8


@pytest.mark.parametrize(
    "fields, status",
    [
        ({}, "ok"),
        ({"error": "MemoryError (line 1)"}, "memory"),
        ({"error": "ValueError: x"}, "error"),
        ({"killed": "time", "timed_out": True}, "timeout"),
        ({"killed": "output"}, "output_limit"),
        ({"killed": "signal 9"}, "killed"),
    ],
)
def test_outcomes_have_a_status_in_one_word(fields: dict[str, object], status: str) -> None:
    whole = {"output": "", "error": None, "timed_out": False, "seconds": 0.0, "killed": None}
    assert Outcome(**(whole | fields)).status == status  # pyright: ignore[reportArgumentType]

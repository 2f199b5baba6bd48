"""check_env: sound environments pass, and each check finds what it is there for."""

import json
import random
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import broken_envs
import gymnasium
import numpy as np
import pytest
from broken_envs import BROKEN, Dial
from gymnasium.utils.env_checker import check_env as gymnasium_check

import gigym
from gigym.envs import BadOption, CheckFailed, UnknownEnv, list_envs, missing
from gigym.envs.checks import CHECKS, CheckPlan, CheckReport
from gigym.envs.registry import entry_point_of
from gigym.envs.types import JsonValue

READY = [
    card.id
    for card in list_envs()
    if entry_point_of(card.id).startswith("gigym.") and not missing(card)
]
DOCS = Path(__file__).parents[2] / "docs" / "environments.md"


def test_a_sound_environment_passes_every_check() -> None:
    report = gigym.check_env(Dial)
    assert report and report.passed == tuple(CHECKS) and not report.skipped and not report.remarks
    report.assert_ok()


@pytest.mark.parametrize("env_id", READY)
def test_every_environment_that_ships_keeps_the_contract(env_id: str) -> None:
    report = gigym.check_env(env_id, CheckPlan(seeds=2, steps=12))
    assert report.ok, str(report)


def test_the_environment_of_the_docs_keeps_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = DOCS.read_text(encoding="utf-8").split("```python\n")[1:]
    (tmp_path / "dial_of_the_docs.py").write_text(blocks[1].split("```")[0])
    monkeypatch.syspath_prepend(tmp_path)
    report = gigym.check_env("dial_of_the_docs:Dial")
    assert report.ok and "processes" in report.passed, str(report)


@pytest.mark.parametrize("env_id", READY)
@pytest.mark.parametrize("door", ["gigym", "gymnasium"])
def test_gymnasiums_checker_accepts_every_environment(env_id: str, door: str) -> None:
    env: Any = gigym.make(env_id) if door == "gigym" else gymnasium.make(f"gigym.envs:{env_id}")
    gymnasium_check(env.unwrapped)


def test_every_check_has_an_environment_that_breaks_it() -> None:
    assert list(BROKEN) == list(CHECKS)


@pytest.mark.parametrize("check", BROKEN)
def test_a_check_finds_the_environment_that_breaks_it(check: str) -> None:
    report = gigym.check_env(BROKEN[check], CheckPlan(only=(check,)))
    assert [finding.check for finding in report.findings][:1] == [check], str(report)
    finding = report.findings[0]
    assert finding.env == "Dial-v0" and finding.expected and finding.got
    with pytest.raises(CheckFailed, match=f"Dial-v0: {check}"):
        report.assert_ok()


@pytest.mark.parametrize("check", ["any_text", "determinism", "state_key", "fork", "reward"])
def test_the_seed_and_actions_of_a_finding_show_it_again(check: str) -> None:
    finding = gigym.check_env(BROKEN[check], CheckPlan(only=(check,))).findings[0]
    assert finding.seed is not None
    env = BROKEN[check]()
    replies = [env.start(finding.seed, finding.options)]
    with pytest.raises(UnicodeEncodeError) if check == "any_text" else nullcontext():
        replies += [env.answer(action) for action in finding.actions]
    if check == "reward":
        assert replies[-1].reward == 1.5


def test_instances_are_checked_with_the_options_they_were_built_with() -> None:
    report = gigym.check_env(Dial(split="test", max_steps=7))
    assert report.ok, str(report)
    assert Dial(split="test").made_with == {"split": "test"}


def test_classes_by_name_and_local_classes_are_checked() -> None:
    assert gigym.check_env("broken_envs:Dial", CheckPlan(only=("processes",))).ok

    class Nested(Dial):
        pass

    report = gigym.check_env(Nested, CheckPlan(only=("processes", "fork")))
    assert report.passed == ("fork",)
    assert "other processes cannot import" in report.skipped[0].reason


def test_a_state_that_changes_no_future_is_a_remark() -> None:
    class Diary(Dial):
        def freeze(self) -> JsonValue:
            return {"turns": self._turns, "rest": super().freeze()}

        def thaw(self, frozen: JsonValue) -> None:
            super().thaw(cast("dict[str, JsonValue]", frozen)["rest"])

    report = gigym.check_env(Diary, CheckPlan(only=("state",)))
    assert report.ok and report.remarks
    assert "same futures" in report.remarks[0].got and "to look at" in str(report)


def test_keys_that_claim_no_future_may_merge_states() -> None:
    class Modest(broken_envs.StateKey):
        card = replace(broken_envs.StateKey.card, state_is_markov=False)

    assert not gigym.check_env(broken_envs.StateKey, CheckPlan(only=("state",))).ok
    report = gigym.check_env(Modest, CheckPlan(only=("state",)))
    assert report.ok and report.remarks


def test_checking_leaves_the_generators_of_the_process_alone() -> None:
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()  # pyright: ignore
    gigym.check_env(Dial, CheckPlan(only=("plays", "global_rng", "state_key")))
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # pyright: ignore


def test_a_report_is_json_and_names_what_was_not_checked() -> None:
    report = gigym.check_env(broken_envs.AnyText, CheckPlan(only=("any_text", "processes")))
    tree = json.loads(json.dumps(report.as_json()))
    assert tree["ok"] is False and tree["passed"] == ["processes"]
    assert {"check", "expected", "got", "seed", "actions"} <= tree["findings"][0].keys()
    assert isinstance(report, CheckReport) and not report


def test_an_environment_that_cannot_be_played_is_one_finding() -> None:
    report = gigym.check_env(broken_envs.Plays)
    assert [finding.check for finding in report.findings] == ["plays"]
    assert len(report.skipped) == len(CHECKS) - 1


@pytest.mark.parametrize(
    ("target", "plan", "error", "told"),
    [
        ("ALFWrld-v0", None, UnknownEnv, "did you mean 'ALFWorld-v0'"),
        ("nowhere:Env", None, BadOption, "cannot import 'nowhere:Env'"),
        (42, None, BadOption, "expected an environment's id, class, instance or URL, got 42"),
        (Dial, CheckPlan(only=("fokr",)), BadOption, "no check 'fokr'. Did you mean 'fork'"),
        (Dial, CheckPlan(seeds=0), BadOption, "at least one seed and step, got 0 and 25"),
    ],
)
def test_what_cannot_be_checked_is_told(
    target: str, plan: CheckPlan | None, error: type[Exception], told: str
) -> None:
    with pytest.raises(error) as raised:
        gigym.check_env(target, plan)
    assert told in str(raised.value)

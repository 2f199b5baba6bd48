"""`gigym check`: findings are printed and are exit code 1."""

from collections.abc import Callable
from typing import Any

import broken_envs  # noqa: F401

Gigym = Callable[..., Any]


def test_a_sound_environment_is_exit_code_0(gigym: Gigym) -> None:
    checked = gigym("check", "ALFWorld-v0", "split=test", "--seeds", 1, "--steps", 5)
    assert checked.code == 0 and "0 findings" in checked.out


def test_findings_are_exit_code_1_with_the_way_to_see_them(gigym: Gigym) -> None:
    checked = gigym("check", "broken_envs:AnyText", "--only", "any_text")
    assert checked.code == 1
    assert "got:      UnicodeEncodeError" in checked.out and "reset(seed=0)" in checked.out
    told = gigym("check", "broken_envs:AnyText", "--only", "any_text", "--json")
    assert told.code == 1 and told.json["findings"][0]["check"] == "any_text"


def test_what_cannot_be_checked_is_wrong_usage(gigym: Gigym) -> None:
    for words, told in (
        (("check", "ALFWrld-v0"), "did you mean 'ALFWorld-v0'"),
        (("check", "ALFWorld-v0", "splt=test"), "Did you mean 'split'"),
        (("check", "ALFWorld-v0", "--only", "froks"), "Did you mean 'fork'"),
    ):
        failed = gigym(*words)
        assert failed.code == 2 and told in failed.err
    assert gigym("check", "ALFWrld-v0", "--json").json["error"]["code"] == "UNKNOWN_ENV"

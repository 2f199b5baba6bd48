"""`gigym doctor` reports versions and the sandbox, and what to do about what is missing."""

from collections.abc import Callable
from typing import Any

import gigym as package

Gigym = Callable[..., Any]


def test_doctor_reports_the_level_of_the_sandbox_with_its_rows(gigym: Gigym) -> None:
    done = gigym("doctor", "--json")
    assert done.code == 0 and done.json["gigym"] == package.__version__
    checks = {row["check"]: row for row in done.json["checks"]}
    assert f"level {done.json['sandbox_level']} of 4" in checks["sandbox"]["detail"]
    assert {"gigym", "python", "numpy"} <= checks.keys()
    assert any(name.startswith("sandbox ") for name in checks)


def test_what_is_not_as_it_should_be_comes_with_a_remedy(gigym: Gigym) -> None:
    rows = gigym("doctor", "--json").json["checks"]
    assert all(bool(row["remedy"]) == (row["state"] == "warn") for row in rows)


def test_doctor_prints_a_table_for_people(gigym: Gigym) -> None:
    lines = gigym("doctor").out.splitlines()
    assert lines[0].split() == ["check", "state", "found"]

"""The page on credit runs as written and names every estimator."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from gigym.grouping import estimator_names

PAGE = (Path(__file__).parents[2] / "docs" / "credit.md").read_text(encoding="utf-8")


def test_the_first_program_of_the_page_runs() -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)[0]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/credit.md", "exec"), names)  # noqa: S102 - our own page
    expected = [20 / 3, 4.0, -16 / 3, -4.0, -16 / 3]
    np.testing.assert_allclose(names["credit"].advantage, expected)


def test_the_table_lists_every_estimator() -> None:
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.M))
    assert listed == set(estimator_names())

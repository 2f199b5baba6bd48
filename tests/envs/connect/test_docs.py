"""The page about playing on servers: its code runs, its tables name what there is."""

import re
from pathlib import Path
from typing import Any

from gigym.envs.connect.shapes import LIST_FIELDS, TEXT_FIELDS
from gigym.envs.connect.target import AGENTGYM_WORLDS

PAGE = (Path(__file__).parents[3] / "docs" / "remote.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {"__name__": "docs"}
    exec(compile("\n".join(blocks), "docs/remote.md", "exec"), names)  # noqa: S102 - our own page
    assert len(blocks) == 5 and names["observations"]


def test_the_page_names_every_field_in_its_order() -> None:
    for fields in (TEXT_FIELDS, LIST_FIELDS, AGENTGYM_WORLDS):
        told = r"[^|]*".join(f"`[^`]*{re.escape(name)}[^`]*`" for name in fields)
        assert re.search(told, PAGE), fields

"""`PackRow`: one game as text, from a line of a pack or from a `game.tw-pddl` of the release.

Nothing is interpreted here beyond JSON and the line with the task. What is not as it must be raises
`GameFileError`, which says where.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

from ..errors import GameFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRow:
    """One game as a pack stores it; the domain and the grammar are the same for all games."""

    id: str
    """`<split>/<task folder>/<trial folder>` for official games."""
    task: str
    """The whole line `Your task is to: ...`"""
    pddl_problem: str
    walkthrough: tuple[str, ...]
    """Commands that win from the reset."""


def release_row(text: bytes, game_id: str, where: str) -> Iterator[PackRow]:
    """The row of one `game.tw-pddl`; none when it is marked unsolvable."""
    tree = _parse_object(text, where)
    if tree.get("solvable") is False:
        return
    found = re.search(r"Your task is to: [^\"\n]*", str(tree.get("grammar")))
    if found is None:
        raise GameFileError(f"{where}: its grammar has no line 'Your task is to: ...'")
    yield _row(tree | {"id": game_id, "task": found[0]}, where)


def encode(row: PackRow) -> bytes:
    """The row as a line of a pack, without its end."""
    return json.dumps(asdict(row)).encode("ascii")


def decode(line: bytes, where: str) -> PackRow:
    """The row of a line of a pack; `where` it stands is for the error."""
    return _row(_parse_object(line, where), where)


def _parse_object(text: bytes, where: str) -> dict[str, object]:
    try:
        tree: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GameFileError(
            f"{where}: not JSON: {error}; the file is damaged or was cut: fetch it again"
        ) from None
    if not isinstance(tree, dict):
        raise GameFileError(f"{where}: expected a JSON object, got {type(tree).__name__}")
    return cast("dict[str, object]", tree)


def _row(tree: dict[str, object], where: str) -> PackRow:
    walkthrough = tree.get("walkthrough")
    texts = [tree.get(key) for key in ("id", "task", "pddl_problem")]
    if not isinstance(walkthrough, list) or not all(isinstance(text, str) for text in texts):
        raise GameFileError(
            f"{where}: expected the texts id, task, pddl_problem and the list walkthrough; "
            f"got the keys {', '.join(sorted(tree)) or 'none'}"
        )
    game_id, task, problem = cast("list[str]", texts)
    commands = tuple(str(command) for command in cast("list[object]", walkthrough))
    return PackRow(id=game_id, task=task, pddl_problem=problem, walkthrough=commands)

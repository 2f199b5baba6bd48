"""Games as the official release keeps them: files, a tree of them, a zip."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from gigym.envs.alfworld import PackRow


def release(row: PackRow, **changed: object) -> str:
    """A `game.tw-pddl` with the game's own problem."""
    tree = {
        "pddl_domain": "(define (domain alfred))",
        "grammar": f'"task": [{{"rhs": "{row.task}"}}],\n"more": []',
        "pddl_problem": row.pddl_problem,
        "solvable": True,
        "walkthrough": list(row.walkthrough),
    }
    return json.dumps(tree | changed)


def write_folder(root: Path, rows: Sequence[PackRow]) -> Path:
    """A tree of the games, written from the last to the first."""
    for row in reversed(rows):
        place = root / row.id
        place.mkdir(parents=True)
        (place / "game.tw-pddl").write_text(release(row))
    return root


def write_zip(path: Path, rows: Sequence[PackRow], more: str = "") -> Path:
    """A zip of the games from the last to the first, and of one member `more`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in reversed(rows):
            archive.writestr(f"json_2.1.1/{row.id}/game.tw-pddl", release(row))
        archive.writestr(more or "json_2.1.1/train/readme.txt", "not a game")
    return path

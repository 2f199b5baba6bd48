"""`GameText`: a game as TextWorld loads it, made from wherever ours come from.

An official `game.tw-pddl` is handed on as it is. A game of a pack gets the domain and the grammar
that lie beside the pack as `alfred.pddl` and `alfred.twl2`. Where there are none, and for
generated games, those of the installed alfworld package are brought to the state of the release.
"""

import functools
import importlib.util
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

from ...errors import GameFileError, MissingExtra
from ...types import JsonValue
from ..pack import GAME_FILE, MAX_GAME_BYTES, PackRow
from ..text import HELP

UNKNOWN = "Your task is to: UNKNOWN GOAL."
# The release was made before alfworld 0.4.2 stopped cleaning in a sink without a basin and moved
# the help into a grammar rule.
_BASIN_ONLY, _ANY_SINK = ";(receptacleType ?r SinkType)", "(receptacleType ?r SinkType)"
_HELP_RULE = 'feedback :: "#help.feedback#";'


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The part that all games of the release share, word for word."""

    domain: str
    """`alfred.pddl`: what each action needs and does."""
    grammar: str
    """`alfred.twl2`: the sentences, with an unknown goal where the task goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GameText:
    """One game for the reference engine."""

    id: str
    domain: str
    grammar: str
    problem: str

    def tree(self) -> dict[str, JsonValue]:
        """The JSON object that a `game.tw-pddl` file holds, as far as the engine reads it."""
        return {
            "pddl_domain": self.domain,
            "grammar": self.grammar,
            "pddl_problem": self.problem,
        }


def game_text(row: PackRow, origin: Path | None) -> GameText:
    """The text of a game that came from `origin` (a pack, folder or zip) or from the generator.

    Raises `GameFileError` when the file is not there any more or not what it was.
    """
    official = None if origin is None else _official(origin, row.id)
    if official is not None:
        return _read(official, row.id)
    beside = None if origin is None else rules_in(origin.parent)
    rules = beside or release_rules()
    if UNKNOWN not in rules.grammar:
        raise GameFileError(f"the grammar for {row.id!r} has no line {UNKNOWN!r}")
    return GameText(
        id=row.id,
        domain=rules.domain,
        grammar=rules.grammar.replace(UNKNOWN, row.task),
        problem=row.pddl_problem,
    )


def rules_in(folder: Path) -> Rules | None:
    """The rules that lie in a folder; None unless both files are there."""
    domain, grammar = folder / "alfred.pddl", folder / "alfred.twl2"
    if not (domain.is_file() and grammar.is_file()):
        return None
    return Rules(domain=domain.read_text("utf-8"), grammar=grammar.read_text("utf-8"))


@functools.cache
def release_rules() -> Rules:
    """The rules of the release, from the installed alfworld package.

    Raises `MissingExtra` without the package, `GameFileError` when its files are other ones.
    """
    found = importlib.util.find_spec("alfworld")
    folders = found.submodule_search_locations if found else None
    packaged = rules_in(Path(next(iter(folders))) / "data") if folders else None
    if packaged is None:
        raise MissingExtra("alfworld is not installed: pip install 'gigym[alfworld]'")
    domain = re.sub(r"\n\s*\)\s*\Z", "\n)\n", packaged.domain.replace(_BASIN_ONLY, _ANY_SINK))
    before, rule, after = packaged.grammar.partition(_HELP_RULE)
    if domain.count(_ANY_SINK) != 1 or not rule or "\naction " in after:
        raise GameFileError(
            "the alfworld package has other rules than version 0.4.2; pip install alfworld==0.4.2, "
            "or put alfred.pddl and alfred.twl2 of the release beside the pack"
        )
    return Rules(domain=domain, grammar=f'{before}feedback :: "\n{HELP}";\n}}\n')


def _official(origin: Path, game_id: str) -> bytes | None:
    """The game's own file in a folder or zip; None where games come from a pack."""
    if origin.name == GAME_FILE:
        return origin.read_bytes()
    if origin.suffix == ".zip":
        with zipfile.ZipFile(origin) as archive:
            members = (m for m in archive.namelist() if PurePosixPath(m).name == GAME_FILE)
            named = (m for m in members if "/".join(PurePosixPath(m).parts[-4:-1]) == game_id)
            return next((archive.open(member).read(MAX_GAME_BYTES) for member in named), None)
    if not origin.is_dir():
        return None
    parts = PurePosixPath(game_id).parts
    tails = (Path(*parts[first:]) for first in range(len(parts)))
    found = (origin / tail / GAME_FILE for tail in tails)
    found = next((path for path in found if path.is_file()), None)
    if found is None:
        found = next((p for p in origin.rglob(GAME_FILE) if p.parts[-4:-1] == parts), None)
    return None if found is None else found.read_bytes()


def _read(text: bytes, game_id: str) -> GameText:
    try:
        tree = cast("Mapping[str, object]", json.loads(text))
        domain, grammar, problem = (tree[k] for k in ("pddl_domain", "grammar", "pddl_problem"))
    except (ValueError, KeyError, TypeError) as error:
        raise GameFileError(f"game {game_id!r}: its file is damaged: {error!r}") from None
    return GameText(id=game_id, domain=str(domain), grammar=str(grammar), problem=str(problem))

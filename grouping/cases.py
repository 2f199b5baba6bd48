"""Test vectors as records: what a file of credit vectors says, without judging it.

Formats `gigpo-vectors/1` and `estimator-vectors/1`: columnar rows, and blocks of options with the
numbers they must give, aligned with the rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from .errors import BadVectors
from .steps import Steps

FORMATS = ("gigpo-vectors/1", "estimator-vectors/1")
_REQUIRED = ("task", "traj", "t", "anchor", "reward")
_OPTIONAL = ("action", "terminated", "truncated", "valid", "weight")
_KINDS = {"rows": "rows", "values": "keys", "texts": "similarity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One set of options and the numbers they must give."""

    estimator: str
    options: Mapping[str, object]
    """Options as in the file, without the estimator's name."""
    arrays: Mapping[str, Any]
    """Arrays aligned with the rows, and in some files a `report`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One entry of a vector file."""

    id: str
    note: str
    kind: str
    """`rows`, `keys`, `similarity`, `graph_gae`, or the name of a rule."""
    source: str
    """Format of the file."""
    rows: Mapping[str, Sequence[object]]
    """Columns as in the file; empty for kinds without rows."""
    expected: tuple[Block, ...]
    content: Mapping[str, Any]
    """The entry as it stands in the file."""

    def steps(self) -> Steps:
        """The rows as `Steps`, with every key level in the file's order."""
        return steps_of(self.rows)


def load(path: str | Path) -> tuple[Case, ...]:
    """All cases of a file. Raises `BadVectors` where the file is not of a known format."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        source = str(document["format"])
        entries = [(entry, "") for entry in document["cases"]]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BadVectors(f"cannot read test vectors from {path}: {fault!r}") from fault
    if source not in FORMATS:
        raise BadVectors(f"{path} has format {source!r}, expected one of {', '.join(FORMATS)}")
    entries += [(entry, "graph_gae") for entry in document.get("graph_gae", [])]
    entries += [(entry, str(entry["rule"])) for entry in document.get("rules", [])]
    return tuple(_case(entry, kind, source, f"case {i}") for i, (entry, kind) in enumerate(entries))


def steps_of(rows: Mapping[str, Sequence[object]]) -> Steps:
    """Columns named as in the vector files as `Steps`; all `anchor...` columns become levels."""
    missing = [name for name in _REQUIRED if name not in rows]
    if missing:
        raise BadVectors(f"rows lack the columns {missing}; they have {list(rows)}")
    levels = [name for name in rows if name == "anchor" or name.startswith("anchor_")]
    follow = {name: rows[f"next_{name}"] for name in levels if f"next_{name}" in rows}
    optional = {name: rows[name] for name in _OPTIONAL if name in rows}
    return Steps.of(
        task=rows["task"],
        trajectory=rows["traj"],
        step=cast("Sequence[int]", rows["t"]),
        anchor={name: rows[name] for name in levels},
        reward=cast("Sequence[float]", rows["reward"]),
        next_anchor=follow or None,
        **cast("dict[str, Any]", optional),
    )


def _case(entry: Mapping[str, Any], kind: str, source: str, place: str) -> Case:
    found = kind or next((kind for mark, kind in _KINDS.items() if mark in entry), "unknown")
    has_rows = found == "rows"
    return Case(
        id=str(entry.get("id", place)),
        note=str(entry.get("note", "")),
        kind=found,
        source=source,
        rows=entry["rows"] if has_rows else {},
        expected=tuple(map(_block, entry.get("expected", ()))) if has_rows else (),
        content=entry,
    )


def _block(block: Mapping[str, Any]) -> Block:
    options = dict(block["options"])
    return Block(
        estimator=str(options.pop("estimator", "gigpo")),
        options=options,
        arrays={name: values for name, values in block.items() if name != "options"},
    )

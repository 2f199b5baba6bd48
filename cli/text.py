"""Text for the terminal: control characters made visible, columns aligned."""

import re
from collections.abc import Sequence

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with controls, escapes, bidi overrides and lone surrogates as visible escapes.

    Line feeds and tabs stay; everything an environment or a model wrote goes through here.
    """
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as left-aligned columns two spaces apart; the first row is the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def cells(names: Sequence[str], width: int) -> str:
    """Names in as many equal columns as fit the width, filled row by row."""
    column = max((len(name) for name in names), default=0) + 2
    per_line = max(1, width // column)
    starts = range(0, len(names), per_line)
    lines = ("".join(n.ljust(column) for n in names[at : at + per_line]) for at in starts)
    return "\n".join(line.rstrip() for line in lines)

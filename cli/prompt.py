"""What a person types at `gigym play`: a line with completion, and the choices shown to them."""

import shutil
import sys
from collections.abc import Sequence

from .text import cells, clean

SHOWN = 60
"""Choices that are listed unasked."""


def ask(choices: Sequence[str]) -> str | None:
    """A line of standard input, None at its end; at a terminal the tab key completes choices."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        line = sys.stdin.readline()
        return line.strip() if line else None
    _complete(choices)
    try:
        return input("> ").strip()
    except EOFError:
        return None


def listed(choices: Sequence[str] | None, word: str | None = None) -> str:
    """The choices with their numbers: the first ones, or all that hold the word."""
    if choices is None:
        return "(any text is an action here)"
    wanted = [(n, c) for n, c in enumerate(choices, 1) if (word or "").lower() in c.lower()]
    if not wanted:
        return f"(none of {len(choices)} actions holds {clean(word or '')!r})" if word else "(none)"
    cut = len(wanted) if word is not None else SHOWN
    text = cells(
        [f"{n:3d} {clean(c)}" for n, c in wanted[:cut]], shutil.get_terminal_size().columns
    )
    left = len(wanted) - cut
    return text if left <= 0 else f"{text}\n... and {left} more: ? lists all, ?WORD those with WORD"


def completions(choices: Sequence[str], typed: str) -> list[str]:
    """The choices that go on from what was typed, whatever its case."""
    return [clean(choice) for choice in choices if choice.lower().startswith(typed.lower())]


def _complete(choices: Sequence[str]) -> None:
    try:
        import readline
    except ImportError:  # some systems have none; lines can be typed without
        return
    # An action is a whole line, spaces and all.
    readline.set_completer_delims("")
    readline.parse_and_bind("tab: complete")

    def complete(typed: str, number: int) -> str | None:
        found = completions(choices, typed)
        return found[number] if number < len(found) else None

    readline.set_completer(complete)

"""The terminal behind stderr, where there is one to draw on."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def drawable() -> "Console | None":
    """rich's console on stderr; None where lines are all that can be shown."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    return None if console.is_dumb_terminal else console

"""The `gigym` command: parse, call a room, print the result; no work of its own.

stdout carries the result and nothing else, progress and errors go to stderr. Each command is a
file that is loaded when it is called, so that help and listings cost no torch, httpx or numpy.
"""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; always ends in `SystemExit` with a code of `endings.py`."""
    try:
        from .app import run

        run(argv)
    except KeyboardInterrupt:
        # it came before a command could say what it left behind
        raise SystemExit(130) from None

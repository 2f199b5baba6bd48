"""`python -m gigym.servers`: serve for the process at the other end of stdin and stdout.

It writes a `ServerSpec` as one line of JSON to stdin and keeps the pipe open: this process ends
when the pipe does, so that it never outlives its parent. From a shell, `gigym serve` is the way.
"""

import contextlib
import os
import signal
import sys
import threading
import time

from .. import GigymError
from . import serve
from .parent import die_with_parent
from .ready import Ready, failure_line, ready_line
from .spec import load_spec

_LAST_WORDS_S = 3.0


def main() -> int:
    """Serve, and end with the parent; the exit code."""
    if sys.stdin.isatty():
        print("error: this is for programs; run: gigym serve ENV", file=sys.stderr)
        return 2
    die_with_parent()
    # A shell that runs its parent in the background has it inherit that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    spec = load_spec(sys.stdin.readline())
    threading.Thread(target=_watch_stdin, daemon=True).start()
    # What environments print must not mix with the one line that the parent reads.
    with os.fdopen(os.dup(1), "w") as channel:
        os.dup2(2, 1)

        def announce(ready: Ready) -> None:
            print(ready_line(ready), file=channel, flush=True)

        try:
            serve(spec, announce)
        except GigymError as error:
            print(failure_line(error), file=channel, flush=True)
            return error.exit_code
    return 0


def _watch_stdin() -> None:
    with contextlib.suppress(OSError, ValueError):
        while sys.stdin.read(4096):
            pass
    # Not SIGTERM: nobody is left to be served for a while.
    signal.raise_signal(signal.SIGINT)
    time.sleep(_LAST_WORDS_S)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())

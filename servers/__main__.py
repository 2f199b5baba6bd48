"""`python -m gigym.servers ENV [key=value ...]`: serve environments from a shell or a parent.

With `--spec-from-stdin` the parent writes a `ServerSpec` as one line of JSON to stdin and keeps
the pipe open: this process ends when the pipe does, so that it never outlives its parent.
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .. import GigymError
from ..envs.options import parse_options
from . import HostedEnv, Limits, ServerSpec, load_token, serve
from .parent import die_with_parent
from .ready import Ready, failure_line, ready_line
from .spec import load_spec

_LAST_WORDS_S = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the arguments say; the exit code."""
    given = _parser().parse_args(arguments)
    if given.spec_from_stdin:
        return _serve_parent()
    try:
        serve(_spec(given))
    except GigymError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def hosted_envs(words: Sequence[str]) -> tuple[HostedEnv, ...]:
    """Environments of a command line: each id is followed by its own `key=value` options."""
    groups: list[list[str]] = []
    for word in words:
        if "=" in word and groups:
            groups[-1].append(word)
        else:
            groups.append([word])
    return tuple(HostedEnv(id=id, options=parse_options(options)) for id, *options in groups)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gigym.servers", description=__doc__)
    parser.add_argument("envs", nargs="*", metavar="ENV [key=value ...]")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
    parser.add_argument("--max-sessions", type=int, default=Limits().sessions)
    parser.add_argument("--lease-s", type=float, default=Limits().lease_s)
    parser.add_argument("--token-file", type=Path, help="made with a fresh token if not there")
    parser.add_argument("--insecure", action="store_true", help="no token beyond this machine")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME")
    parser.add_argument("--import", action="append", default=[], dest="imports", metavar="MODULE")
    parser.add_argument("--spec-from-stdin", action="store_true", help=argparse.SUPPRESS)
    return parser


def _spec(given: argparse.Namespace) -> ServerSpec:
    return ServerSpec(
        envs=hosted_envs(given.envs),
        host=given.host,
        port=given.port,
        token=load_token(given.token_file) if given.token_file else None,
        insecure=given.insecure,
        allow_hosts=tuple(given.allow_host),
        imports=tuple(given.imports),
        limits=Limits(sessions=given.max_sessions, lease_s=given.lease_s),
    )


def _serve_parent() -> int:
    """Serve for the process at the other end of stdin and stdout, and end with it."""
    die_with_parent()
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
    signal.raise_signal(signal.SIGTERM)
    time.sleep(_LAST_WORDS_S)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())

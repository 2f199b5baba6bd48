"""`gigym serve`: an env server in this process, until a signal comes.

On a terminal it says where it listens in words; anything else gets the ready line in JSON.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .words import AsJson, new_app

if TYPE_CHECKING:
    from ..servers import Ready

app = new_app()


class LogLevel(StrEnum):
    """Least severe of the events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Envs = Annotated[
    list[str],
    typer.Argument(
        metavar="ENV [KEY=VALUE]...", help="Environments, each followed by its own options."
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")]
Address = Annotated[str, typer.Option(help="Address to listen on.")]
UnixSocket = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Listen on this Unix socket, not on a port.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=256,
        help="Worker processes for all environments; 0: none. "
        "By default only for those that need them.",
    ),
]
Sessions = Annotated[int, typer.Option(min=1, help="Sessions alive at once.")]
Lease = Annotated[float, typer.Option(min=0.1, max=86_400, help="Life of an unused session.")]
FurtherLimits = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="NAME=NUMBER", help="Any other limit; may be repeated."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Clients must send this token; made if not there."),
]
Names = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Further name of this server; may be repeated."),
]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Listen beyond this machine without a token.")
]
Grace = Annotated[float, typer.Option(min=0, help="How long sessions are served after SIGTERM.")]
Level = Annotated[LogLevel, typer.Option(help="Least severe of the events logged on stderr.")]
AgentGym = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Serve AgentGym's routes too: alfworld, webshop, or an ENV."),
]
Imports = Annotated[
    list[str] | None,
    typer.Option("--import", metavar="MODULE", help="Imported first; registers environments."),
]


@app.command()
def serve(
    envs: Envs,
    port: Port = 8000,
    host: Address = "127.0.0.1",
    uds: UnixSocket = None,
    workers: Workers = None,
    max_sessions: Sessions = 1024,
    lease_s: Lease = 600.0,
    limits: FurtherLimits = None,
    token_file: TokenFile = None,
    allow_host: Names = None,
    insecure: Insecure = False,
    grace_s: Grace = 30.0,
    log_level: Level = LogLevel.INFO,
    agentgym: AgentGym = None,
    imports: Imports = None,
    as_json: AsJson = False,
) -> None:
    """Serve environments over HTTP until a signal comes."""
    from .needs import need_serve

    need_serve()
    from ..servers import Limits, ServerSpec, load_token, print_ready
    from ..servers import serve as serve_spec
    from ..servers.command import hosted_envs, limited

    spec = ServerSpec(
        envs=hosted_envs(envs),
        host=host,
        port=port,
        uds=str(uds.absolute()) if uds else None,
        token=load_token(token_file) if token_file else None,
        token_file=str(token_file.absolute()) if token_file else None,
        allow_hosts=tuple(allow_host or ()),
        insecure=insecure,
        grace_s=grace_s,
        workers=workers,
        imports=tuple(imports or ()),
        agentgym=agentgym,
        log_level=log_level.value,
        limits=limited(Limits(sessions=max_sessions, lease_s=lease_s), limits or ()),
    )
    serve_spec(spec, print_ready if as_json or not sys.stdout.isatty() else _say_ready)


def _say_ready(ready: "Ready") -> None:
    print(f"Serving at {ready.url}; Ctrl-C ends it.", end="\n\n")
    print("Lease a session from another shell:", end="\n\n")
    print(f"    {ready.curl}", end="\n\n", flush=True)

"""`gigym serve`: an env server in this process; the ready line on stdout is JSON."""

from pathlib import Path
from typing import Annotated

import typer

from .words import AsJson, new_app

app = new_app()


@app.command()
def serve(
    envs: Annotated[
        list[str],
        typer.Argument(
            metavar="ENV [KEY=VALUE]...", help="Environments, each followed by its own options."
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Clients must send this token; made if not there."),
    ] = None,
    max_sessions: Annotated[int, typer.Option(min=1, help="Sessions alive at once.")] = 1024,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without a token.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Serve environments over HTTP until a signal comes."""
    from .needs import need_serve

    need_serve()
    from ..servers import Limits, ServerSpec, load_token
    from ..servers import serve as serve_spec
    from ..servers.__main__ import hosted_envs

    serve_spec(
        ServerSpec(
            envs=hosted_envs(envs),
            host=host,
            port=port,
            token=load_token(token_file) if token_file else None,
            insecure=insecure,
            limits=Limits(sessions=max_sessions),
        )
    )

"""`gigym check`: does an environment keep its contract?"""

import json
from typing import Annotated

import typer

from ..envs.options import parse_options
from .text import clean
from .words import AsJson, Assignments, new_app

app = new_app()

Subject = Annotated[
    str,
    typer.Argument(metavar="ENV", help="An id, package.module:Class, or the URL of an env server."),
]
Names = Annotated[
    list[str] | None, typer.Option("--only", help="A check to make; may be repeated.")
]
Skips = Annotated[list[str] | None, typer.Option("--skip", help="A check to leave out.")]
Envs = Annotated[list[str] | None, typer.Option("--env", help="Of a server's, one to check.")]


@app.command()
def check(
    env: Subject,
    assignments: Assignments = None,
    seeds: Annotated[int, typer.Option(help="Episodes from as many seeds.")] = 3,
    steps: Annotated[int, typer.Option(help="Longest random walk.")] = 25,
    only: Names = None,
    skip: Skips = None,
    envs: Envs = None,
    token_file: Annotated[str, typer.Option(help="File that holds the server's token.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check an environment; exit code 1 when something is found."""
    # Imported here, since the help of all commands must not wait for Gymnasium.
    from ..envs.checks import CheckPlan, check_env

    plan = CheckPlan(
        seeds=seeds,
        steps=steps,
        only=tuple(only or ()),
        skip=tuple(skip or ()),
        envs=tuple(envs or ()),
        token=_token(token_file),
    )
    report = check_env(env, plan, **parse_options(assignments or ()))
    print(json.dumps(report.as_json()) if as_json else clean(str(report)))
    raise typer.Exit(0 if report.ok else 1)


def _token(path: str) -> str | None:
    if not path:
        return None
    with open(path, encoding="utf-8") as file:
        return file.read().strip()

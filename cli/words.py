"""Pieces that several command lines share, so that they read the same everywhere."""

from typing import Annotated, TypeAlias

import typer

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
EnvId: TypeAlias = Annotated[
    str, typer.Argument(metavar="ENV", help="Id of an environment, see: gigym list.")
]
Assignments: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Options of the environment."),
]


def new_app(help: str | None = None) -> typer.Typer:
    """A command, or with `help` a group of commands, in the house style."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, help=help)

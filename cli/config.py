"""`gigym config show`: a recipe with its overrides and every default, as the trainer gets it."""

from typing import Annotated

import typer

from .words import AsJson, new_app

app = new_app(help="Look at configurations.")


@app.callback()
def _group() -> None:
    return None


@app.command()
def show(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE_OR_TOML", help="A shipped recipe, or a TOML file.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a whole configuration; a TOML file with this content repeats the run."""
    from ..trainer.recipe import dump_config, load_config

    config = load_config(recipe, overrides or ())
    print(config.model_dump_json() if as_json else dump_config(config).rstrip())

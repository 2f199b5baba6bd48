"""`gigym train`: a recipe from start to summary, or a stopped run from where it was."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .endings import UsageMistake
from .words import AsJson, new_app

if TYPE_CHECKING:
    from ..trainer import Progress, RunDir

app = new_app()


@app.command()
def train(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECIPE_OR_TOML [KEY=VALUE]...",
            help="A shipped recipe or a TOML file, then changes such as estimator=grpo.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same as seed=N.")] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Continue this run directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train an agent; ends with its success before and after."""
    from .needs import need_train

    given = words or []
    source, overrides = (None, given) if resume else _source(given)
    if seed is not None:
        overrides = [*overrides, f"seed={seed}"]
    need_train()
    from .live import listener
    from .summary import facts, page

    with listener(plain=False) as progress:
        run = _work(source, resume, overrides, progress)
    print(json.dumps(facts(run)) if as_json else page(run))


def _source(words: list[str]) -> tuple[str, list[str]]:
    if not words:
        raise UsageMistake("what to train is missing; try: gigym train quickstart")
    if "=" in words[0] and not Path(words[0]).exists():
        raise UsageMistake(
            f"expected a recipe or TOML file first, got {words[0]!r}; "
            f"try: gigym train quickstart {words[0]}"
        )
    return words[0], words[1:]


def _work(
    source: str | None, resume: str | None, overrides: list[str], progress: "Progress"
) -> "RunDir":
    from ..trainer import load_config, train
    from ..trainer import resume as continue_run

    if source is None:
        return continue_run(str(resume), progress, overrides)
    return train(load_config(source, overrides), progress)

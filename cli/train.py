"""`gigym train`: a recipe from start to summary, or a stopped run from where it was."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from .endings import UsageMistake
from .words import AsJson, new_app

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
    from ..trainer import load_config
    from .live import listener
    from .needs import need_train
    from .summary import facts, page

    given = [*(words or []), *([] if seed is None else [f"seed={seed}"])]
    config = None if resume else load_config(*_source(given))
    need_train()
    from ..trainer import resume as continue_run
    from ..trainer import train as train_run

    with redirect_stdout(sys.stderr), listener() as progress:
        if config is None:
            run = continue_run(str(resume), progress, given)
        else:
            run = train_run(config, progress)
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

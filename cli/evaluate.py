"""`gigym eval`: success of a run's agent per task type, with intervals."""

import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from .text import table
from .words import AsJson, new_app

if TYPE_CHECKING:
    from ..trainer import EvalReport

app = new_app()


@app.command()
def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory.")],
    games: Annotated[
        str, typer.Option(metavar="PATH", help="Games to play: a pack, a folder or a zip.")
    ] = "",
    split: Annotated[str, typer.Option(help="Split of the environment to play.")] = "",
    episodes: Annotated[
        int, typer.Option("--episodes", "-n", min=0, help="Tasks to play; 0 means all there are.")
    ] = 0,
    temperature: Annotated[
        float | None, typer.Option(help="Sampling temperature; default is the run's.")
    ] = None,
    step: Annotated[int | None, typer.Option(help="Checkpoint to score; default latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Score a trained agent."""
    from .needs import need_train

    need_train()
    from ..trainer import EvalOptions
    from ..trainer import evaluate as score_run
    from .live import listener

    options = EvalOptions(
        games=games, split=split, episodes=episodes, temperature=temperature, step=step
    )
    with redirect_stdout(sys.stderr), listener() as progress:
        report = score_run(run, options, progress)
    print(json.dumps({"run": run, **report.report}) if as_json else _page(report))


def _page(report: "EvalReport") -> str:
    rows = [(kind, score.text()) for kind, score in report.by_type.items()]
    where = [f"{name}  {report.report[name]}" for name in ("checkpoint", "folder")]
    return "\n".join([table([("tasks", "success, 95 % interval"), *rows]), "", *where])

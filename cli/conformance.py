"""`gigym conformance`: our ALFWorld engine against TextWorld itself, on the same games."""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from .words import AsJson, new_app

app = new_app()


@app.command()
def conformance(
    games: Annotated[
        str, typer.Option(help="Pack, folder or zip of games; without it they are generated.")
    ] = "",
    split: Annotated[str, typer.Option(help="Part of the games.")] = "",
    count: Annotated[int, typer.Option(min=1, help="Number of games.")] = 24,
    steps: Annotated[int, typer.Option(min=0, help="Random commands on each game.")] = 25,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the games and the commands.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Play ALFWorld in both engines side by side and tell the first difference.

    Needs the extra alfworld. Exit code 1 when an answer differs.
    """
    from ..envs.alfworld.conformance import compare_engines

    began, played = time.perf_counter(), Counter[str]()
    total, different = 0, None
    for found in compare_engines(games, split=split or None, count=count, seed=seed, steps=steps):
        played[found.task_type] += 1
        total, different = total + found.steps, found.difference
        if different is not None:
            break
        print(f"equal: {found.game}, {found.steps} commands", file=sys.stderr, flush=True)
    seconds = round(time.perf_counter() - began, 1)
    if as_json:
        told = asdict(different) if different else None
        counts = {"games": played.total(), "task_types": played, "commands": total}
        print(json.dumps({**counts, "seconds": seconds, "difference": told}))
    elif different is not None:
        print(f"DIFFERENT: {different}")
    else:
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(played.items()))
        print(
            f"0 differences in {played.total()} games ({kinds}), {total} commands, {seconds} s: "
            "texts, admissible commands, verdicts and state keys"
        )
    raise typer.Exit(1 if different else 0)

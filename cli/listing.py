"""`gigym list`: the registered environments, from their cards alone.

Of what an environment needs, only what is not installed is told.
"""

import fnmatch
import json
import math
from dataclasses import asdict
from typing import Annotated, Any

import typer

from ..envs import EnvCard, list_envs, missing
from .text import table
from .words import AsJson, new_app

app = new_app()


@app.command()
def list_(
    pattern: Annotated[str, typer.Argument(help="Show ids that match, such as 'ALF*'.")] = "*",
    as_json: AsJson = False,
) -> None:
    """List the environments."""
    cards = [card for card in list_envs() if fnmatch.fnmatchcase(card.id, pattern)]
    if as_json:
        print(json.dumps({"envs": [_facts(card) for card in cards]}, allow_nan=False))
        return
    rows = [
        (card.id, card.version, ", ".join(missing(card)) or "-", card.summary) for card in cards
    ]
    print(table([("id", "version", "missing", "summary"), *rows]))


def _facts(card: EnvCard) -> dict[str, Any]:
    bounds = [bound if math.isfinite(bound) else None for bound in card.reward_range]
    return {**asdict(card), "reward_range": bounds, "needs": missing(card)}

"""Scripted players of twenty questions: the honest answerer, random and halving questioners.

They read the `knowledge` of their reply and keep nothing between turns.
"""

import random
from typing import Any, cast

from ..types import JsonValue, Reply, digest
from .facts import facts


class Honest:
    """Answers as the table says."""

    def act(self, reply: Reply) -> str:
        """The true answer to the open question."""
        return str(_known(reply)["truth"])


class Halving:
    """Asks what splits the remaining candidates most evenly; guesses when guesses suffice."""

    def act(self, reply: Reply) -> str:
        """The next question or guess."""
        seen = _known(reply)
        remaining: list[str] = seen["remaining"]
        asked = {attribute for attribute, _ in seen["answers"]}
        fresh = [name for name in facts().attributes if name not in asked]
        if len(remaining) <= seen["guesses_left"] or not seen["questions_left"] or not fresh:
            return f"guess {remaining[0]}"
        return f"ask {facts().evenest(remaining, fresh)}"


class RandomAsker:
    """Asks anything not asked before; guesses once one candidate or no question is left."""

    def __init__(self, seed: int | str = 0) -> None:
        self._seed = seed

    def act(self, reply: Reply) -> str:
        """The next question or guess, the same for the same knowledge."""
        seen = _known(reply)
        known: JsonValue = [reply.info["knowledge"], reply.info["invalid"]]
        rng = random.Random(f"{self._seed}/{digest(known)}")
        asked = {attribute for attribute, _ in seen["answers"]}
        fresh = [name for name in facts().attributes if name not in asked]
        if len(seen["remaining"]) == 1 or not seen["questions_left"] or not fresh:
            return f"guess {rng.choice(seen['remaining'])}"
        return f"ask {rng.choice(fresh)}"


def _known(reply: Reply) -> dict[str, Any]:
    return cast("dict[str, Any]", reply.info["knowledge"])

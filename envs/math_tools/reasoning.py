"""Problems of reasoning-gym (extra `reasoning`), made and scored in a helper process.

A problem is named `reasoning/DATASET/SEED`. It is solved where the package's own scorer gives the
full score of 1; a lower score is told and pays nothing.
"""

import re
from functools import lru_cache
from pathlib import Path

from ..errors import BadOption, UnknownTask, need
from .helper_process import Helper, HelperDied, HelperTimeout
from .types import AnswerRules, Problem, Verdict

SECONDS = 5.0
ITEM_SECONDS = 60.0

_HELPER = Helper(Path(__file__).with_name("reasoning_helper.py"))
_ID = re.compile(r"reasoning/(?P<name>[a-z0-9_]{1,60})/(?P<seed>0|[1-9][0-9]{0,17})", re.ASCII)


@lru_cache(maxsize=1_024)
def problem(name: str, seed: int) -> Problem:
    """Item of a data set. Raises `MissingExtra`, or `BadOption` for a name it does not have."""
    need("reasoning_gym", "reasoning")
    try:
        item = _HELPER.ask(["item", name, seed], ITEM_SECONDS)
    except (HelperTimeout, HelperDied) as error:
        raise BadOption(
            f"reasoning-gym made no item of {name!r} with seed {seed}: {error}"
        ) from None
    if not isinstance(item, dict) or "question" not in item:
        raise BadOption(f"reasoning-gym has no item of {name!r} with seed {seed}: {item!s:.200}")
    return Problem(
        id=f"reasoning/{name}/{seed}",
        question=str(item["question"]),
        answer=str(item["answer"]),
        kind=f"reasoning/{name}",
        seed=seed,
        difficulty=0,
        rules=AnswerRules(),
        meta={"scorer": "reasoning_gym", "name": name},
    )


def named(problem_id: str) -> Problem:
    """The problem of an id. Raises `UnknownTask`."""
    found = _ID.fullmatch(problem_id)
    if found is None:
        raise UnknownTask(
            f"no problem {problem_id!r:.80}; an id here is reasoning/DATASET/SEED, "
            "such as reasoning/chain_sum/3"
        )
    return problem(found["name"], int(found["seed"]))


def score(item: Problem, given: str) -> Verdict:
    """The scorer's verdict; no score within the time limit is a wrong answer."""
    try:
        scored = _HELPER.ask(["score", str(item.meta["name"]), item.seed, given], SECONDS)
    except HelperTimeout:
        return Verdict(correct=False, level="scorer", fault="timeout")
    except HelperDied:
        return Verdict(correct=False, level="scorer", fault="error")
    if not isinstance(scored, float):
        return Verdict(correct=False, level="scorer", fault="error")
    return Verdict(correct=scored >= 1.0, level="scorer", score=scored)

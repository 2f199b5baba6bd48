"""`generate(kind, seed, difficulty)`: the same problem for the same arguments, in every process.

Ten kinds, five difficulties, unlimited seeds: even seeds are for training, odd ones for testing.
An id such as `word/3/17` (kind, difficulty, seed) rebuilds its problem.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random

from ..errors import BadOption, UnknownTask, near
from .algebra import linear, quadratic
from .arithmetic import arith_chain, base
from .countdown import countdown
from .counting import combinatorics, sequences
from .integers import modular, number_theory
from .types import Draft, Problem
from .word import Template, told
from .word_long import LONG
from .word_short import SHORT

VERSION = "1"
"""Part of every seed: a changed problem is a changed version."""
DIFFICULTIES = (1, 2, 3, 4, 5)
TEMPLATES: tuple[Template, ...] = SHORT + LONG


def word(rng: Random, difficulty: int) -> Draft:
    """A word problem from one of the templates that serve the difficulty."""
    fitting = [t for t in TEMPLATES if t.levels[0] <= difficulty <= t.levels[1]]
    return told(rng.choice(fitting), rng, difficulty)


GENERATORS: Mapping[str, Callable[[Random, int], Draft]] = {
    "arith_chain": arith_chain,
    "linear": linear,
    "quadratic": quadratic,
    "modular": modular,
    "number_theory": number_theory,
    "combinatorics": combinatorics,
    "sequences": sequences,
    "word": word,
    "countdown": countdown,
    "base": base,
}
KINDS = tuple(GENERATORS)


def generate(kind: str, seed: int, difficulty: int = 1) -> Problem:
    """The problem of a kind, seed and difficulty. Raises `BadOption` for what there is not."""
    if kind not in GENERATORS:
        hint = near(kind, KINDS)
        raise BadOption(f"no kind of problem {kind!r}.{hint} There are: {', '.join(KINDS)}")
    if difficulty not in DIFFICULTIES:
        raise BadOption(f"difficulty must be 1 to 5, got {difficulty}")
    if seed < 0:
        raise BadOption(f"a problem's seed must not be negative, got {seed}")
    return _generated(kind, int(seed), int(difficulty))


def rebuild(problem_id: str) -> Problem:
    """The problem of an id such as `word/3/17`. Raises `UnknownTask` for what is no such id."""
    pieces = problem_id.split("/")
    numbers = [int(p) for p in pieces[1:] if p.isascii() and p.isdigit() and len(p) < 19]
    if len(pieces) == 3 and len(numbers) == 2:
        kind, (difficulty, seed) = pieces[0], numbers
        # One id for one problem: word/3/017 is not another name of word/3/17.
        if kind in GENERATORS and difficulty in DIFFICULTIES:
            found = generate(kind, seed, difficulty)
            if found.id == problem_id:
                return found
    raise UnknownTask(
        f"no generated problem {problem_id!r:.80}; an id is KIND/DIFFICULTY/SEED, such as "
        f"word/3/17, with a difficulty of 1 to 5 and one of the kinds {', '.join(KINDS)}"
    )


@lru_cache(maxsize=4_096)
def _generated(kind: str, seed: int, difficulty: int) -> Problem:
    rng = Random(f"{VERSION}:{kind}:{seed}:{difficulty}")
    draft = GENERATORS[kind](rng, difficulty)
    return Problem(
        id=f"{kind}/{difficulty}/{seed}",
        question=draft.question,
        answer=draft.answer,
        kind=kind,
        seed=seed,
        difficulty=difficulty,
        rules=draft.rules,
        work=draft.work,
        meta=draft.meta,
    )

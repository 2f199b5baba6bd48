"""The two parts of a PDDL problem that matter: the facts of `:init` and the formula of `:goal`.

Everything is lower-cased, as the reference engine's translator does. The domain is not read: it
is the same in all games, and the engine is that domain.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import GameFileError

Tree: TypeAlias = "str | list[Tree]"
"""A PDDL formula: a word, or a list in parentheses."""
Row = tuple[str, ...]

MAX_DEPTH = 100
"""Goals nest six deep."""
_INIT = re.compile(r"\(\s*:init\b((?:[^()]++|\((?:[^()]++|\([^()]*+\))*+\))*+)\)")
_NUMERIC = re.compile(r"\(\s*=\s*\([^()]*\)[^()]*\)")
_FACT = re.compile(r"\(([^()]*)\)")
_GOAL = re.compile(r"\(\s*:goal\b")
_TOKEN = re.compile(r"[()]|[^\s()]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a problem text says about one game."""

    facts: dict[str, frozenset[Row]]
    """The rows of every predicate that holds at the start."""
    goal: Tree


def parse(text: str) -> Problem:
    """Read a problem. Raises `GameFileError` when init or goal are missing or malformed."""
    plain = re.sub(r";[^\n]*", "", text).lower()
    init, goal = _INIT.search(plain), _GOAL.search(plain)
    if init is None or goal is None:
        missing = "(:init ...)" if init is None else "(:goal ...)"
        raise GameFileError(f"the problem has no complete {missing}; the text may have been cut")
    return Problem(facts=_facts(init[1]), goal=_formula(plain, goal.end()))


def _facts(init: str) -> dict[str, frozenset[Row]]:
    """Facts by predicate; numeric ones such as `(= (total-cost) 0)` play no part."""
    flat = _NUMERIC.sub("", init) if "=" in init else init
    stray = _FACT.sub("", flat).strip()
    if stray:
        raise GameFileError(f"expected plain facts in (:init ...), got {stray[:40]!r}")
    rows: dict[str, set[Row]] = {}
    # ids are long and each stands in many facts: all of them share one string
    words: dict[str, str] = {}
    for content in _FACT.findall(flat):
        predicate, *row = content.split() or [""]
        rows.setdefault(predicate, set()).add(tuple([words.setdefault(w, w) for w in row]))
    return {predicate: frozenset(found) for predicate, found in rows.items()}


def _formula(text: str, start: int) -> Tree:
    """The formula that begins at `start`; what follows its last parenthesis is not read."""
    stack: list[list[Tree]] = [[]]
    for token in _TOKEN.finditer(text, start):
        word = token[0]
        if word == "(" and len(stack) <= MAX_DEPTH:
            stack.append([])
        elif word == ")" and len(stack) > 1:
            done = stack.pop()
            stack[-1].append(done)
        elif word in "()":
            break
        else:
            stack[-1].append(word)
        if len(stack) == 1:
            return stack[0][0]
    raise GameFileError("the formula of (:goal ...) does not end; the text may have been cut")

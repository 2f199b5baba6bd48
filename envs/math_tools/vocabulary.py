"""Phrases worth one token each: tags, signs, and the words of the questions and rules.

Comes in: the templates and a sample of problems. Goes out: plain substrings of the texts, without
blanks at their ends. Numbers are left to single digits.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from . import wording
from .calls import TOOLS, Malformed
from .problems import KINDS, TEMPLATES, generate
from .word import ITEMS, NAMES, PLACES, plural

_SAMPLE = 24
_TAGS = (*TOOLS, "answer", "output")
_SIGNS = (*"0123456789", *"+-*/%()=,.{}", "**", "//")
_NOUN = re.compile(r"\{\w+:([a-z]+)\}", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z]+", re.ASCII)


@lru_cache(maxsize=1)
def phrases() -> tuple[str, ...]:
    """Every phrase once, in ascending order."""
    tags = (form for tag in _TAGS for form in (f"<{tag}>", f"</{tag}>"))
    told = (wording.CORRECT, wording.WRONG, wording.SPENT, wording.ANSWERING)
    names = (*NAMES, *PLACES, *(form for item in ITEMS for form in (item, plural(item))))
    words = (word for text in _texts() for word in _WORD.findall(text))
    return tuple(sorted(set(chain(tags, _SIGNS, told, names, words))))


def _texts() -> Iterator[str]:
    """Rules, templates and questions of every kind; a fixed sample says every phrase of a kind."""
    yield from wording.opening("", TOOLS, 8, 10).splitlines()
    yield wording.not_understood(Malformed(reason="it held neither a call nor an answer"), TOOLS)
    for template in TEMPLATES:
        for noun in _NOUN.findall(template.text):
            yield f"{noun} {plural(noun)}"
        yield re.sub(r"\{[^}]*\}", " ", f"{template.text} {template.question}")
    for kind in KINDS:
        if kind != "combinatorics":
            yield from (generate(kind, seed, 1).question for seed in range(_SAMPLE))

"""The symbolic level: formulas compared by math-verify in a helper process with our time limit.

A comparison that takes too long, or fails, is a wrong answer and is counted. Nothing of the model
is evaluated in this process.
"""

import importlib.util
import re
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from .helper_process import Helper, HelperDied, HelperTimeout
from .types import Verdict

SECONDS = 5.0

_HELPER = Helper(Path(__file__).with_name("symbolic_helper.py"))
_LOCK = Lock()
# A power tower or a long number makes the library compute before anyone can look at it.
_TOWER = re.compile(
    r"\^\s*\{?\s*[0-9]+\s*\}?\s*\^|[0-9]{40}|\^\s*\{?\s*-?[0-9]{5}|!\s*!|![^!]*!|[0-9]{4}\s*!"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the symbolic level did in this process."""

    calls: int = 0
    timeouts: int = 0
    errors: int = 0


_counts = Counts()


def compare(given: str, truth: str, seconds: float = SECONDS) -> Verdict:
    """Whether two formulas are equal; not equal where no answer comes within `seconds`."""
    if importlib.util.find_spec("math_verify") is None:
        return Verdict(correct=False, level="symbolic", fault="not_installed")
    if "$" in given or _TOWER.search(given):
        return Verdict(correct=False, level="symbolic")
    try:
        answer = _HELPER.ask([given, truth], seconds)
    except HelperTimeout:
        return _counted("timeout")
    except HelperDied:
        return _counted("error")
    if not isinstance(answer, bool):
        return _counted("error")
    _count("")
    return Verdict(correct=answer, level="symbolic")


def counts() -> Counts:
    """How many comparisons were made so far, and how many gave no verdict."""
    return _counts


def _counted(fault: str) -> Verdict:
    _count(fault)
    return Verdict(correct=False, level="symbolic", fault=fault)


def _count(fault: str) -> None:
    global _counts
    with _LOCK:
        _counts = replace(
            _counts,
            calls=_counts.calls + 1,
            timeouts=_counts.timeouts + (fault == "timeout"),
            errors=_counts.errors + (fault == "error"),
        )

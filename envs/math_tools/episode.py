"""One episode as data: the problem, the calls with their results, and how it ended.

Pure: a move gives another episode. Its key names all that decides the future apart from the
turns that are left.
"""

from dataclasses import dataclass
from typing import cast

from ..errors import BadOption
from ..types import JsonValue, digest
from .problems import Problem
from .types import Verdict

Used = tuple[str, str, str]
"""Tool, code in canonical form, text of the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What has happened so far."""

    problem: Problem
    calls: tuple[Used, ...] = ()
    failed_calls: int = 0
    verdict: Verdict | None = None
    """What the checker found; None before an answer."""

    @property
    def won(self) -> bool:
        """The answer was right."""
        return self.verdict is not None and self.verdict.correct

    def key(self) -> str:
        """Hash of the task, the calls with results, and the outcome."""
        outcome = None if self.verdict is None else self.verdict.correct
        return digest([self.problem.id, [list(call) for call in self.calls], outcome])

    def freeze(self) -> JsonValue:
        """As JSON data; the problem by its id."""
        return {
            "task": self.problem.id,
            "calls": [list(call) for call in self.calls],
            "failed_calls": self.failed_calls,
            "verdict": None if self.verdict is None else _frozen(self.verdict),
        }


def thawed(frozen: JsonValue, problem: Problem) -> Episode:
    """The episode of frozen data. Raises `BadOption` for what is none."""
    fields = frozen if isinstance(frozen, dict) else {}
    calls, failed = fields.get("calls"), fields.get("failed_calls")
    if not isinstance(calls, list) or not isinstance(failed, int):
        raise BadOption("not a frozen episode of MathTools-v0: expected calls and failed_calls")
    return Episode(
        problem=problem,
        calls=tuple(_used(call) for call in calls),
        failed_calls=failed,
        verdict=_verdict(fields.get("verdict")),
    )


def _used(call: JsonValue) -> Used:
    if not isinstance(call, list) or [type(part) for part in call] != [str, str, str]:
        raise BadOption("not a frozen episode of MathTools-v0: a call is tool, code and result")
    return cast("Used", tuple(call))


def _frozen(verdict: Verdict) -> JsonValue:
    return [verdict.correct, verdict.level, verdict.fault, verdict.score]


def _verdict(frozen: JsonValue) -> Verdict | None:
    match frozen:
        case None:
            return None
        case [bool(correct), str(level), str(fault), None]:
            return Verdict(correct=correct, level=level, fault=fault)
        case [bool(correct), str(level), str(fault), int() | float() as score]:
            return Verdict(correct=correct, level=level, fault=fault, score=float(score))
        case _:
            raise BadOption("not a frozen episode of MathTools-v0: the verdict is malformed")

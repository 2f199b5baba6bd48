"""Mathematics with tools: generated problems with exact answers, a calculator, sandboxed Python."""

from .answers import is_correct, judge
from .calculator import calculate
from .calls import Call, Final, Malformed, parse_turn
from .datasets import ProblemSet, read_problems
from .env import MathToolsEnv
from .limits import CalculatorError
from .problems import DIFFICULTIES, KINDS, generate, rebuild
from .tools import tool_schemas
from .types import AnswerRules, Problem, Verdict

__all__ = [
    "DIFFICULTIES",
    "KINDS",
    "AnswerRules",
    "CalculatorError",
    "Call",
    "Final",
    "Malformed",
    "MathToolsEnv",
    "Problem",
    "ProblemSet",
    "Verdict",
    "calculate",
    "generate",
    "is_correct",
    "judge",
    "parse_turn",
    "read_problems",
    "rebuild",
    "tool_schemas",
]

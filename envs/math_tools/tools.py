"""The tools of an episode: what is offered, how it is described, what a call gives back.

In: a `Call`. Out: a `ToolResult`, whose text the agent reads; a failed call is a result too. The
sandbox of the `python` tool is opened when the tools are, so that a host that is too weak is told
at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import BadOption
from ..sandbox import Limits, RemoteSandbox, Sandbox, SandboxFailed, SandboxTooWeak, local_sandbox
from ..types import JsonValue
from .calculator import calculate, show
from .calls import TOOLS, Call
from .limits import CalculatorError
from .names import names_of
from .native import ARGUMENTS

SHOWN = 2_048
"""Characters of a result that the agent sees."""

_SAYS: Mapping[str, str] = {
    "calculator": (
        "Evaluates one arithmetic expression exactly. Operators: + - * / // % **. "
        "Names: pi, e. Functions: gcd lcm comb perm factorial sqrt abs min max round floor ceil pow"
    ),
    "python": (
        "Runs a Python program in a closed sandbox without files or network; nothing is kept "
        "between calls. Print what you want to see."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a call gave."""

    text: str
    """As the agent sees it, cut to `SHOWN` characters."""
    failed: bool = False
    """The tool told an error instead of a value."""


class Toolbox:
    """The tools that are offered. Raises `SandboxTooWeak` when one of them cannot be."""

    def __init__(self, names: tuple[str, ...], *, level: int = 3, url: str = "") -> None:
        self.names = names
        self._sandbox = _opened(level, url) if "python" in names else None

    @property
    def sandbox_level(self) -> int | None:
        """Isolation of the `python` tool; None where it is not offered."""
        return self._sandbox.level if self._sandbox else None

    def use(self, call: Call) -> ToolResult:
        """Carry out a call of an offered tool."""
        if call.tool == "calculator" or self._sandbox is None:
            return _calculated(call.code)
        return _executed(call.code, self._sandbox)


def tools_named(tools: str | Sequence[str]) -> tuple[str, ...]:
    """The tools of `"calculator,python"`, of a list, or of `"none"`."""
    names = [name for name in names_of("tools", tools) if name]
    if names == ["none"]:
        return ()
    for name in names:
        if name not in TOOLS:
            raise BadOption(f"no tool {name!r}; there are: {', '.join(TOOLS)}, or none")
    return tuple(tool for tool in TOOLS if tool in names)


def tool_schemas(tools: Sequence[str] = TOOLS) -> list[dict[str, JsonValue]]:
    """The tools in the form that chat APIs take as `tools`."""
    return [_schema(tool) for tool in tools]


def _schema(tool: str) -> dict[str, JsonValue]:
    key = ARGUMENTS[tool]
    parameters: dict[str, JsonValue] = {
        "type": "object",
        "properties": {key: {"type": "string"}},
        "required": [key],
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "function": {"name": tool, "description": _SAYS[tool], "parameters": parameters},
    }


def shortened(text: str, limit: int = SHOWN) -> str:
    """The head and the tail of a long text, with the number of characters left out."""
    if len(text) <= limit:
        return text
    # The marker's own length depends on the number of digits it names.
    room = limit - len(f"... [{len(text)} characters cut] ...") - 2
    head, tail = room - room // 2, room // 2
    marker = f"... [{len(text) - head - tail} characters cut] ..."
    return f"{text[:head]}\n{marker}\n{text[len(text) - tail :]}"


def _opened(level: int, url: str) -> Sandbox:
    if url:
        try:
            return RemoteSandbox(url, level=level)
        except ValueError as error:
            raise BadOption(f"sandbox_url: {error}") from None
    try:
        return local_sandbox(level)
    except SandboxTooWeak as error:
        message = f"{error} Or leave the tool out: tools='calculator'."
        raise SandboxTooWeak(message, error.level, error.required_level) from None


def _calculated(code: str) -> ToolResult:
    try:
        return ToolResult(text=shortened(show(calculate(code))))
    except CalculatorError as error:
        return ToolResult(text=f"error: {error}", failed=True)


def _executed(code: str, sandbox: Sandbox) -> ToolResult:
    if not _encodes(code):
        return ToolResult(text="error: the program is not valid Unicode text", failed=True)
    try:
        outcome = sandbox.run(code, Limits())
    except SandboxFailed as error:
        return ToolResult(text=shortened(f"error: the tool is out of order: {error}"), failed=True)
    lines = [line for line in (outcome.output.rstrip("\n"), outcome.error) if line]
    shown = shortened("\n".join(lines) or "(nothing was printed)")
    return ToolResult(text=shown, failed=outcome.error is not None)


def _encodes(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)

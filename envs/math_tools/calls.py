"""What a turn says: a tool call, a final answer, or neither. One parser for every format.

In: the agent's text, thoughts included. Out: `Call`, `Final` or `Malformed`. Formats in order:
tool calls of the chat API as JSON, tags named after tools, a fenced Python block at the end, then
answers in `<answer>`, `\\boxed{}` or an `Answer:` line. Linear in the text, never raising. What a
tool printed is never parsed; only the agent's own turn is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .native import Native, read_native
from .numerals import closing_brace

MAX_TEXT = 64 * 1024
TOOLS = ("calculator", "python")
_THINK, _END_THINK = "<think>", "</think>"
_LABEL = re.compile(r"[\s*_#>]*(?:the )?(?:final )?answer[\s*_]*[:=][\s*_]*(?P<value>\S.*)", re.I)
_FENCES = ("```python", "```py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call."""

    tool: str
    code: str
    """The expression or program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """A final answer."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """Neither a call nor an answer; `reason` is told to the agent."""

    reason: str


Said = Call | Final | Malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    start: int
    end: int
    said: Call | Malformed


def parse_turn(text: str, *, strict: bool = False) -> Said:
    """What the agent wants with this turn.

    The first call counts, and an answer beside it only where it stands behind the last call.
    With `strict` a turn with both, with several calls or with an unclosed tag is malformed.
    """
    if len(text) > MAX_TEXT:
        return Malformed(reason=f"the turn is longer than {MAX_TEXT} characters")
    spoken = without_thoughts(text)
    spans = _spans(spoken)
    last_end = max((span.end for span in spans), default=0)
    if strict and (fault := _strict_fault(spoken, spans)):
        return Malformed(reason=fault)
    final = _final(spoken, last_end)
    if final is not None:
        return final
    if spans:
        return spans[0].said
    return Malformed(reason="it held neither a tool call nor a final answer")


def without_thoughts(text: str) -> str:
    """What stands behind the last thought; a thought that never ends hides the rest."""
    folded = _fold(text)
    start = folded.rfind(_END_THINK)
    start = start + len(_END_THINK) if start >= 0 else 0
    opened = folded.find(_THINK, start)
    return text[start:opened] if opened >= 0 else text[start:]


def _spans(text: str) -> list[_Span]:
    """All calls, those of an earlier format first; a call quoted in another one is none."""
    native = [_native_span(found) for found in read_native(text)]
    tagged = [span for tool in TOOLS for span in _tagged(text, tool)]
    ranked = [(span, rank) for rank, s in enumerate((native, tagged, _fenced(text))) for span in s]
    kept: list[tuple[_Span, int]] = []
    for span, rank in sorted(ranked, key=lambda pair: pair[0].start):
        if not kept or span.start >= kept[-1][0].end:
            kept.append((span, rank))
    return [span for span, _ in sorted(kept, key=lambda pair: pair[1])]


def _native_span(native: Native) -> _Span:
    call = Call(tool=native.tool, code=native.code)
    said = Malformed(reason=native.fault) if native.fault else call
    return _Span(start=native.start, end=native.end, said=said)


def _tagged(text: str, tool: str) -> Iterator[_Span]:
    folded, opening, closing = _fold(text), f"<{tool}>", f"</{tool}>"
    place = 0
    while (start := folded.find(opening, place)) >= 0:
        end = folded.find(closing, start)
        if end < 0:
            return
        code = text[start + len(opening) : end].strip("\n").strip()
        place = end + len(closing)
        yield _Span(start=start, end=place, said=Call(tool=tool, code=unfenced(code)))


def _fenced(text: str) -> Iterator[_Span]:
    """A Python block that ends the turn."""
    end = len(text.rstrip())
    if not text[:end].endswith("```"):
        return
    start = max(_fold(text).rfind(fence, 0, end - 3) for fence in _FENCES)
    head = text.find("\n", start) if start >= 0 else -1
    if 0 <= head < end - 3 and "```" not in text[head : end - 3]:
        code = text[head + 1 : end - 3].rstrip()
        yield _Span(start=start, end=end, said=Call(tool="python", code=code))


def unfenced(code: str) -> str:
    """Code without a fence around it, as some models write inside of tags."""
    lines = code.split("\n")
    fenced = len(lines) > 2 and lines[0].startswith("```") and lines[-1].strip() == "```"
    return "\n".join(lines[1:-1]) if fenced else code


def _final(text: str, start: int) -> Final | None:
    """The last answer behind `start`, in the first form that is there."""
    behind = text[start:]
    for read in (_answer_tag, _boxed, _labelled):
        found = read(behind)
        if found is not None:
            return Final(answer=found)
    return None


def _answer_tag(text: str) -> str | None:
    folded = _fold(text)
    end = folded.rfind("</answer>")
    start = folded.rfind("<answer>", 0, max(end, 0))
    return text[start + len("<answer>") : end].strip() if start >= 0 else None


def _boxed(text: str) -> str | None:
    start = text.rfind("\\boxed{")
    if start < 0:
        return None
    opened = start + len("\\boxed")
    end = closing_brace(text, opened)
    return text[opened + 1 : end].strip() if end >= 0 else None


def _labelled(text: str) -> str | None:
    for line in reversed(text.splitlines()):
        if found := _LABEL.fullmatch(line[:2_048]):
            return found["value"].strip().rstrip("*_").strip()
    return None


def _strict_fault(text: str, spans: list[_Span]) -> str:
    """What a strict reader objects to; empty when nothing."""
    if len(spans) > 1:
        return "it held more than one tool call"
    outside = text if not spans else text[: spans[0].start] + "\n" + text[spans[0].end :]
    folded = _fold(outside)
    for tag in (*TOOLS, "tool_call", "answer"):
        if folded.count(f"<{tag}>") != folded.count(f"</{tag}>"):
            return f"the tag <{tag}> is not closed"
    if folded.count("<answer>") > 1:
        return "it held more than one answer"
    if spans and _final(outside, 0) is not None:
        return "it held both a tool call and an answer"
    return ""


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _fold(text: str) -> str:
    # str.lower changes the length of some letters; positions must stay.
    return text.translate(_ASCII_LOWER)

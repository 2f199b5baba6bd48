"""From what the agent wrote to what it does: strict, linear in the text, never raising.

In: text decoded from the sampled ids without the closing stop token, control tokens kept as
text. Out: `Parsed`. Two forms: `parse_tags` wants one `<action>` after the thinking, `parse_plain`
takes the whole reply. `resolve` then compares the action with what the environment admits; it is
a step of its own, because a well-formed action can be inadmissible. A reply that breaks a rule is
no action: nothing is guessed from it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

MAX_TEXT = 64 * 1024
OPEN, CLOSE = "<action>", "</action>"
THINK, END_THINK = "<think>", "</think>"
_TAGS = (OPEN, CLOSE, THINK, END_THINK)
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a reply says."""

    action: str | None
    """The action; None when the reply is none."""
    reason: str
    """`ok`, or which rule the reply broke."""
    thought: str = ""
    """What was written before the action."""
    text: str = ""
    """The whole reply."""
    remarks: tuple[str, ...] = ()
    """Oddities that do no harm: `extra_think`, `trailing_text`."""
    admissible: bool | None = None
    """The environment would accept the action; None where it cannot tell."""

    @property
    def valid(self) -> bool:
        """The reply is an action by the rules."""
        return self.action is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRules:
    """What a reply must keep to."""

    forbidden: tuple[str, ...] = ()
    """Control tokens as text; none may stand in an action."""
    think_open: bool = False
    """The prompt ended inside `<think>`."""
    require_think: bool = False
    """A reply without a thought is invalid."""
    max_action_chars: int = 512


def parse_tags(text: str, rules: ReplyRules, *, cut: bool = False) -> Parsed:
    """The one action between `<action>` and `</action>` after the last `</think>`.

    `cut` says that the reply ended at the token limit: what lacks its closing tag is `truncated`.
    """
    if len(text) > MAX_TEXT:
        return Parsed(action=None, reason="too_long", text=text)
    folded = text.translate(_ASCII_LOWER)
    start, fault = _after_thinking(folded, rules, cut)
    if fault:
        return Parsed(action=None, reason=fault, text=text)
    opened, closed = folded.find(OPEN, start), folded.find(CLOSE, start)
    fault = _tag_fault(folded, start, cut)
    if fault:
        return Parsed(action=None, reason=fault, text=text)
    body = text[opened + len(OPEN) : closed]
    action, reason = _body(body, rules)
    return Parsed(
        action=action,
        reason=reason,
        thought=_thought(text[:opened]),
        text=text,
        remarks=_remarks(folded, start, closed + len(CLOSE)),
    )


def parse_plain(text: str, rules: ReplyRules, *, cut: bool = False) -> Parsed:
    """The whole reply as the action; a reply that ended at the token limit is `truncated`."""
    if len(text) > MAX_TEXT:
        return Parsed(action=None, reason="too_long", text=text)
    if cut:
        return Parsed(action=None, reason="truncated", text=text)
    action, reason = _body(text, rules)
    return Parsed(action=action, reason=reason, text=text)


def resolve(parsed: Parsed, admissible_actions: Sequence[str] | None) -> Parsed:
    """Match a parsed action to the admissible ones; a match takes the environment's spelling.

    An exact match wins; otherwise the only one that agrees when case and blanks are set aside.
    """
    if parsed.action is None or admissible_actions is None:
        return parsed
    if parsed.action in admissible_actions:
        return replace(parsed, admissible=True)
    wanted = _loose(parsed.action)
    alike = [action for action in admissible_actions if _loose(action) == wanted]
    if len(alike) != 1:
        return replace(parsed, admissible=False)
    return replace(parsed, action=alike[0], admissible=True)


def _after_thinking(folded: str, rules: ReplyRules, cut: bool) -> tuple[int, str]:
    """Where the region after the last thought begins, and what is wrong with the thinking."""
    end = folded.rfind(END_THINK)
    start = end + len(END_THINK) if end >= 0 else 0
    never_closed = (rules.think_open and end < 0) or folded.find(THINK, start) >= 0
    if never_closed:
        return start, "truncated" if cut else "unclosed_think"
    thought = end >= 0 and (rules.think_open or folded.find(THINK, 0, end) >= 0)
    if rules.require_think and not thought:
        return start, "no_think"
    return start, ""


def _tag_fault(folded: str, start: int, cut: bool) -> str:
    """What is wrong with the action tags from `start` on; empty when there is one pair."""
    opens, closes = folded.count(OPEN, start), folded.count(CLOSE, start)
    if opens == closes == 1:
        ordered = folded.find(OPEN, start) < folded.find(CLOSE, start)
        return "" if ordered else "malformed"
    if cut and folded.rfind(OPEN) >= max(start, folded.rfind(CLOSE)):
        return "truncated"
    if opens == closes == 0:
        return "truncated" if cut else "no_action"
    second = folded.find(OPEN, folded.find(OPEN, start) + 1)
    follows = 0 <= folded.find(CLOSE, start) < second
    return "multiple" if opens == closes and follows else "malformed"


def _body(raw: str, rules: ReplyRules) -> tuple[str | None, str]:
    """The action in a body of text: composed, blanks collapsed, case kept."""
    written = " ".join(raw.split())
    if not written:
        return None, "empty"
    folded = written.translate(_ASCII_LOWER)
    if any(tag in folded for tag in _TAGS) or any(token in written for token in rules.forbidden):
        return None, "malformed"
    # Composing is quadratic in a run of combining marks, so the length is judged before it.
    if len(written) > rules.max_action_chars:
        return None, "too_long"
    return unicodedata.normalize("NFC", written), "ok"


def _thought(before: str) -> str:
    """What was written before the action, without the outer think tags."""
    written = before.strip()
    folded = written.translate(_ASCII_LOWER)
    start = len(THINK) if folded.startswith(THINK) else 0
    stop = len(written) - len(END_THINK) if folded.endswith(END_THINK) else len(written)
    return written[start:stop].strip()


def _remarks(folded: str, start: int, end: int) -> tuple[str, ...]:
    extra = folded.count(END_THINK, 0, start) > 1
    trailing = bool(folded[end:].strip())
    named = {"extra_think": extra, "trailing_text": trailing}
    return tuple(name for name, present in named.items() if present)


def _loose(action: str) -> str:
    return " ".join(action.casefold().split())

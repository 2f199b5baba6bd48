"""Answers of several parts: `{1, 2}`, `1, 2`, `x = 1 or x = 2`, `(1, 2)` taken apart.

A part is text; what stands before an equals sign is the name of an unknown. Nothing here says
what the parts are worth.
"""

import re
from collections.abc import Iterator

_AND = re.compile(r"\s*(?:;|\bor\b|\band\b|\\cup\b|\\quad|\\lor\b|\\land\b)\s*", re.ASCII)
_NAME = re.compile(r"(?P<name>[A-Za-z])(?:_\{?[0-9]\}?)?\s*=\s*(?P<value>[^=]+)", re.ASCII)
_MEMBER = re.compile(r"[A-Za-z]\s*(?:\\in|=)\s*(?=\\?\{)", re.ASCII)
_GROUP = re.compile(r"[0-9]{3}(?![0-9])", re.ASCII)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def bracket(text: str) -> str:
    """The bracket that is open around the whole text: `(`, `[`, `{` or nothing."""
    plain = _braces(text)
    opened = plain[:1]
    return opened if opened in _PAIRS and _closing(plain) == len(plain) - 1 else ""


def parts(text: str, *, thousands: bool) -> tuple[str, ...]:
    """The parts of a list; with `thousands`, `1,234` is one number."""
    plain = _braces(text)
    if bracket(plain):
        plain = plain[1:-1]
    pieces = [piece for part in _AND.split(plain) for piece in _commas(part, thousands)]
    # `1, 2, and 3` leaves an empty piece between the comma and the word.
    kept = [piece.strip() for piece in pieces if piece.strip()]
    return tuple(sign for piece in kept for sign in _plus_minus(piece))


def named(part: str) -> tuple[str, str]:
    """Name and value of `x = 5`; the name is empty where the part has none."""
    found = _NAME.fullmatch(part.strip())
    return (found["name"], found["value"].strip()) if found else ("", part.strip())


def _braces(text: str) -> str:
    plain = text.replace("\\{", "{").replace("\\}", "}").strip()
    return plain[found.end() :] if (found := _MEMBER.match(plain)) else plain


def _closing(text: str) -> int:
    """Where the bracket that opens the text is closed."""
    open_sign, depth = text[0], 0
    for place, sign in enumerate(text):
        depth += (sign == open_sign) - (sign == _PAIRS[open_sign])
        if depth == 0:
            return place
    return -1


def _commas(text: str, thousands: bool) -> Iterator[str]:
    """Pieces between commas that are outside of all brackets."""
    depth, start = 0, 0
    for place, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0 and not (thousands and _grouping(text, place)):
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _grouping(text: str, place: int) -> bool:
    """The comma stands between a digit and a group of three digits."""
    return _GROUP.match(text, place + 1) is not None and text[max(place - 1, 0)] in "0123456789"


def _plus_minus(part: str) -> tuple[str, ...]:
    """`\\pm 3` is two parts; so is `x = \\pm 3`."""
    before, found, after = part.partition("\\pm")
    if not found or (before.strip() and not before.rstrip().endswith("=")):
        return (f"{before}+{after}", f"{before}-{after}") if found else (part,)
    return f"{before}{after.strip()}", f"{before}-{after.strip()}"

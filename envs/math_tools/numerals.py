"""Exact numbers from text: integers, decimals, fractions, percent; never evaluates anything.

In: text that `tidy` has rid of its dress (`$`, `\\left`, `\\text{}`, a trailing dot). Out: a
`Fraction`, or None for what is not one number written out. ASCII digits only.
"""

import re
from fractions import Fraction

from .types import AnswerRules

MAX_EXPONENT = 10_000

_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
_DECIMAL = rf"(?:{_DIGITS}(?:\.[0-9]*)?|\.[0-9]+)"
_PLAIN = re.compile(rf"(?P<sign>[+-]?)\s*(?P<value>{_DECIMAL})")
_POWER = re.compile(
    rf"(?P<value>[+-]?{_DECIMAL})\s*(?:[eE](?P<e>[+-]?[0-9]+)"
    r"|(?:\\times|\\cdot|\*|x)\s*10\s*(?:\^|\*\*)\s*(?:\{(?P<braced>[+-]?[0-9]+)\}|(?P<bare>[+-]?[0-9]+)))"
)
_SLASH = re.compile(rf"(?P<sign>[+-]?)\s*(?P<top>[+-]?{_DECIMAL})\s*/\s*(?P<below>[+-]?{_DECIMAL})")
_FRAC = re.compile(
    rf"(?P<sign>[+-]?)\s*\\[dt]?frac\s*(?:\{{\s*(?P<top>[+-]?{_DECIMAL})\s*\}}|(?P<one>[0-9]))"
    rf"\s*(?:\{{\s*(?P<below>[+-]?{_DECIMAL})\s*\}}|(?P<two>[0-9]))"
)
_MIXED = re.compile(r"(?P<sign>[+-]?)\s*(?P<whole>[0-9]+)(?:\s+|(?=\\))(?P<rest>\S.*)")
_WRAPPERS = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox|textit)\s*\{([^{}]*)\}")
_DROPPED = re.compile(r"(?<!\\)\\(?:left|right|displaystyle|[,;!: ])|\\?\$|~")

_SIGNS = str.maketrans(
    {"\u2212": "-", "\u00b1": "\\pm ", "\u00d7": "\\times ", "\u00f7": "\\div ", "\u03c0": "\\pi "}
)


def tidy(text: str) -> str:
    """The text without mathematical dress: what is left is compared."""
    plain = text.translate(_SIGNS).replace("\\%", "%").replace("{,}", ",")
    plain = _DROPPED.sub(_blank, _WRAPPERS.sub(r" \1 ", plain))
    plain = " ".join(plain.replace("\\(", " ").replace("\\)", " ").split())
    plain = unboxed(plain)
    return plain.removesuffix(".").rstrip()


def unboxed(text: str) -> str:
    """What a `\\boxed{...}` around the whole text holds; else the text."""
    inner = text.removeprefix("\\boxed").strip()
    if inner == text or not inner.startswith("{") or closing_brace(inner, 0) != len(inner) - 1:
        return text
    return inner[1:-1].strip()


def closing_brace(text: str, start: int) -> int:
    """Where the brace opened at `start` is closed; -1 when it never is."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
    return -1


def read_number(text: str, rules: AnswerRules) -> Fraction | None:
    """The number that a tidy text writes out, units and percent by the rules; None otherwise."""
    plain = without_units(text, rules.units)
    if rules.percent_ok and plain.endswith("%"):
        value = _unsigned_forms(plain[:-1].rstrip())
        return None if value is None else value / 100
    found = _unsigned_forms(plain)
    return _mixed(plain) if found is None and rules.mixed_ok else found


def without_units(text: str, units: tuple[str, ...]) -> str:
    """The text without one of the units behind or before it."""
    # The longest first, so that `kilometres per hour` is not cut to `kilometres`.
    for unit in sorted(units, key=len, reverse=True):
        if text.lower().endswith(unit.lower()):
            kept = text[: len(text) - len(unit)]
            if kept and (not unit[0].isalpha() or not kept[-1].isalpha()):
                return kept.rstrip()
    for unit in units:
        if not unit[0].isalpha() and text.startswith(unit):
            return text[len(unit) :].lstrip()
    return text


def _unsigned_forms(text: str) -> Fraction | None:
    if found := _PLAIN.fullmatch(text):
        return _signed(found["sign"], _fraction(found["value"]))
    if found := _SLASH.fullmatch(text):
        return _quotient(found["sign"], found["top"], found["below"])
    if found := _FRAC.fullmatch(text):
        top, below = found["top"] or found["one"], found["below"] or found["two"]
        return _quotient(found["sign"], top, below)
    if found := _POWER.fullmatch(text):
        return _scaled(found["value"], found["e"] or found["braced"] or found["bare"])
    return None


def _mixed(text: str) -> Fraction | None:
    found = _MIXED.fullmatch(text)
    if found is None or not found["rest"].startswith(tuple("0123456789\\")):
        return None
    rest = _unsigned_forms(found["rest"])
    if rest is None or not 0 <= rest < 1 or not re.search(r"/|frac", found["rest"]):
        return None
    return _signed(found["sign"], int(found["whole"]) + rest)


def _quotient(sign: str, top: str, below: str) -> Fraction | None:
    divisor = _fraction(below)
    return None if divisor == 0 else _signed(sign, _fraction(top) / divisor)


def _scaled(value: str, exponent: str) -> Fraction | None:
    # The length is judged first: int() of a long text is slow, and a huge power never ends.
    if len(exponent) > 6 or abs(int(exponent)) > MAX_EXPONENT:
        return None
    return _fraction(value) * Fraction(10) ** int(exponent)


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace(",", "").removesuffix("."))


def _signed(sign: str, value: Fraction) -> Fraction:
    return -value if sign == "-" else value


def _blank(found: re.Match[str]) -> str:
    """Spacing between digits vanishes, as in `1\\,234`; other dress leaves a blank or nothing."""
    return " " if found[0] in ("~", "\\ ", "\\displaystyle") else ""

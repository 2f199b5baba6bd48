"""Reads what the shop shows: pages in either text mode, and instructions.

No table of products or attributes is used; an instruction is the words that it is made of.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SEPARATOR = " [SEP] "
_MARKS = re.compile(r"\[/?(?:clicked )?button_?\]|\[clicked button_\]")
_PRICE = re.compile(r"\$([0-9]+(?:\.[0-9]+)?)")
_BOUND = re.compile(r",? and price lower than ([0-9]+(?:\.[0-9]+)?) dollars")
_WORD = re.compile(r"[^\W_]+")
_ASIN = re.compile(r"[A-Z0-9]{1,10}")
_FILLER_WORDS = """
i a am an and are as at be been buy buying by can cart choose color do find flavor for from get
have help if im in interested is it like looking made me my need of one or pick please preferably
scent searching shape should show size some style take than that the them they this to today want
wants with would you your version capacity add shopping sister
"""
_FILLERS = frozenset(_FILLER_WORDS.split())
_NO_BOUND = 1_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A product on a page of results."""

    link: str
    title: str
    price: float
    """The lower end of a range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page shows, whichever it is."""

    instruction: str
    """Empty where the page does not repeat it."""
    listed: tuple[Row, ...]
    groups: tuple[tuple[str, ...], ...]
    """Values of the option groups of a product, as far as they can be clicked."""
    text: str
    actions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An instruction, taken apart."""

    text: str
    words: tuple[str, ...]
    """What tells articles apart: its words without fillers."""
    bound: float

    def missing(self, text: str) -> int:
        """Number of its words that a text does not hold."""
        held = set(_words(text))
        return sum(word not in held for word in dict.fromkeys(self.words))

    def met_by(self, text: str) -> int:
        """Number of its words that a text holds."""
        return len(dict.fromkeys(self.words)) - self.missing(text)

    def pick(self, values: Sequence[str]) -> str:
        """The longest value that the instruction names; empty where it names none."""
        told = f" {' '.join(_words(self.text))} "
        named = [value for value in values if f" {' '.join(_words(value))} " in told]
        return max(named, key=len, default="")


def read_wish(instruction: str) -> Wish:
    """An instruction with its bound, when it has one."""
    bound = _BOUND.search(instruction)
    text = _BOUND.sub("", instruction)
    words = tuple(word for word in _words(text) if word not in _FILLERS)
    return Wish(text=text, words=words, bound=float(bound[1]) if bound else _NO_BOUND)


def read_page(observation: str, actions: Sequence[str]) -> Page:
    """A page of the modes `text` and `text_rich`."""
    fields = _fields(observation)
    clicks = {action[6:-1] for action in actions if action.startswith("click[")}
    at = fields.index("Instruction:") if "Instruction:" in fields else -1
    return Page(
        instruction=fields[at + 1] if 0 <= at < len(fields) - 1 else "",
        listed=tuple(_listed(fields, clicks)),
        groups=tuple(_groups(fields, clicks)) if "buy now" in clicks else (),
        text=" ".join(fields[at + 2 :]),
        actions=frozenset(actions),
    )


def _fields(observation: str) -> list[str]:
    if _SEPARATOR in observation:
        return observation.split(_SEPARATOR)
    plain = (_MARKS.sub("", line).strip() for line in observation.split("\n"))
    return [line for line in plain if line and not line.startswith("You have clicked ")]


def _listed(fields: Sequence[str], clicks: set[str]) -> list[Row]:
    """Products are told by id, title and price, one after the other."""
    rows: list[Row] = []
    if "next >" not in clicks:
        return rows
    for at, told in enumerate(fields[:-2]):
        if _ASIN.fullmatch(told) and told.lower() in clicks:
            price = _PRICE.search(fields[at + 2])
            amount = float(price[1]) if price else _NO_BOUND
            rows.append(Row(link=told.lower(), title=fields[at + 1], price=amount))
    return rows


def _groups(fields: Sequence[str], clicks: set[str]) -> list[tuple[str, ...]]:
    """Between the buttons and the title: a name, then values that can be clicked."""
    begin = fields.index("< Prev") + 1 if "< Prev" in fields else 0
    groups: list[list[str]] = []
    named = False
    for told in fields[begin:]:
        if told.startswith("Price: "):
            break
        if told.lower() not in clicks:
            named = True
            continue
        if named or not groups:
            groups.append([])
        groups[-1].append(told.lower())
        named = False
    return [tuple(group) for group in groups]


def _words(text: str) -> list[str]:
    return [_singular(word) for word in _WORD.findall(text.lower())]


def _singular(word: str) -> str:
    """Rough: without a plural s."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word

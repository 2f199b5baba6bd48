"""Word problems: a reviewed template, filled from entity tables, with sentences that distract.

A template draws its numbers, tells a story in which there is one reading only, names the answer
by a function of the numbers (`solve`) and, by another route, as a calculator expression (`work`).
Every distracting sentence is about a thing that no template asks for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from .types import AnswerRules, Draft

Values = Mapping[str, int]

NAMES = (
    *("Aino", "Bilal", "Chloe", "Diego", "Emeka", "Farah", "Goran", "Hana", "Ilya", "Jun"),
    *("Kofi", "Leila", "Mateo", "Nadia", "Omar", "Priya", "Rosa", "Sven", "Tala", "Yusuf"),
)
ITEMS = (
    *("apple", "pencil", "sticker", "marble", "button", "candle", "stamp", "tile", "bead", "card"),
    *("brush", "box of tea", "loaf of bread", "toy", "coin"),
)
PLACES = ("market", "school", "library", "workshop", "museum", "warehouse", "bakery", "harbour")
_DISTRACTORS = (
    "{friend} has lived on the same street for {n} years.",
    "The bus to the {place} has {n} seats.",
    "{friend}, a neighbour, reads {n} pages of a novel every evening.",
    "The clock tower near the {place} is {n} metres high.",
    "A radio in the room has been playing for {n} minutes.",
    "{friend} once walked {n} kilometres in a single week.",
    "The notebook on the table has {n} empty pages.",
    "There are {n} trees around the {place}.",
)
_IRREGULAR = {"person": "people", "child": "children", "loaf": "loaves", "penny": "pennies"}


class Dice:
    """Draws numbers of the size that a difficulty wants."""

    def __init__(self, rng: Random, difficulty: int) -> None:
        self._rng = rng
        self._difficulty = difficulty

    def small(self) -> int:
        """A factor: 2 to 9, and to 12 from difficulty 3 on."""
        return self._rng.randint(2, 9 if self._difficulty < 3 else 12)

    def count(self) -> int:
        """A number of things; the product of two exceeds 10^9 from difficulty 4 on."""
        low, high = {1: (3, 20), 2: (11, 99), 3: (101, 999), 4: (40_001, 99_999)}.get(
            self._difficulty, (400_001, 999_999)
        )
        return self._rng.randint(low, high)

    def below(self, top: int) -> int:
        """A number from 1 to one less than `top`, not near either end where there is room."""
        return self._rng.randint(max(1, top // 10), max(1, top - 1 - top // 10))

    def percent(self) -> int:
        """A percentage in steps of five."""
        return 5 * self._rng.randint(1, 15)

    def among(self, *values: int) -> int:
        """One of the values."""
        return self._rng.choice(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One story with a hole for each number and name."""

    name: str
    steps: int
    """Operations that lead to the answer."""
    levels: tuple[int, int]
    """Lowest and highest difficulty it serves."""
    text: str
    """`{a:box}` is a number with its noun, `{a}` a number, `{a:@}` a number of the items."""
    question: str
    draw: Callable[[Dice], dict[str, int]]
    solve: Callable[[Values], Fraction | int]
    work: str
    """A calculator expression over the same numbers."""
    units: tuple[str, ...] = ()


class _Count(int):
    """A number that is told together with its noun, singular or plural."""

    item = ""

    def __format__(self, noun: str) -> str:
        if not noun:
            return str(int(self))
        word = self.item if noun == "@" else noun
        return f"{int(self)} {word if self == 1 else plural(word)}"


def plural(noun: str) -> str:
    """The plural of a noun or of the head of `box of tea`."""
    head, of, rest = noun.partition(" of ")
    if head in _IRREGULAR:
        return _IRREGULAR[head] + of + rest
    hissing = head.endswith(("s", "x", "sh", "ch"))
    changing = head.endswith("y") and head[-2:-1] not in "aeiou"
    many = head + "es" if hissing else head[:-1] + "ies" if changing else head + "s"
    return many + of + rest


def told(template: Template, rng: Random, difficulty: int) -> Draft:
    """One problem from a template."""
    values = template.draw(Dice(rng, difficulty))
    fields = _fields(rng, values)
    body = template.text.format_map(fields).split(" | ")
    extra = {1: 0, 2: rng.randint(0, 1), 3: 1}.get(difficulty, 2)
    for sentence in rng.sample(_DISTRACTORS, extra):
        told = sentence.format(friend=fields["friend"], place=fields["place"], n=rng.randint(2, 90))
        body.insert(rng.randint(1, len(body)), told)
    question = template.question.format_map(fields)
    item = str(fields["item"])
    return Draft(
        question=" ".join([*body, question]),
        answer=decimal(Fraction(template.solve(values))),
        rules=AnswerRules(form="number", units=(*template.units, item, plural(item))),
        work=(template.work.format_map(values),),
        meta={"template": template.name, "steps": template.steps, "distractors": extra},
    )


def _fields(rng: Random, values: Values) -> dict[str, str | int]:
    name, other, friend = rng.sample(NAMES, 3)
    item, place = rng.choice(ITEMS), rng.choice(PLACES)
    fields: dict[str, str | int] = {"name": name, "other": other, "friend": friend}
    fields |= {"item": item, "items": plural(item), "place": place}
    for key, value in values.items():
        count = _Count(value)
        count.item = item
        fields[key] = count
    return fields


def decimal(value: Fraction) -> str:
    """An exact decimal of at most two places."""
    hundredths = value * 100
    if hundredths.denominator != 1:
        raise ValueError(f"a word problem's answer has at most two decimals: got {value}")
    whole, rest = divmod(abs(hundredths.numerator), 100)
    tail = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{'-' if value < 0 else ''}{whole}{tail}"

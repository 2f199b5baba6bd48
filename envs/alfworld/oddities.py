"""Commands as nobody should write them: every way to spoil one that a game accepts.

What an engine makes of them is not always nothing (blanks around a command are cut off), so both
engines are asked.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random

ODDITIES: Mapping[str, Callable[[str], str]] = {
    "upper": str.upper,
    "title": str.title,
    "padded": "  {} \n".format,
    "double_space": lambda command: command.replace(" ", "  "),
    "tab": lambda command: command.replace(" ", "\t"),
    "newline": lambda command: command.replace(" ", "\n", 1),
    "dot": "{}.".format,
    "quote": "'{}'".format,
    "brace": "{{{}}}".format,
    "null": "{}\0".format,
    "number": "{} 1".format,
    "unknown": "{} 99".format,
    "cut": lambda command: command[:-1],
    "unicode": "{}\u0301\U0001f642".format,
    "empty": lambda command: "",
    "blank": lambda command: " \t\n",
    "put": lambda command: "put mug 1 in/on desk 1",
    "wait": lambda command: "wait",
    "long": lambda command: command * 50,
}
_IDLE = ("look", "inventory", "help")


def wander(admissible: Sequence[str], rng: Random, number: int) -> str:
    """A random command of a random verb; every fourth of them spoilt."""
    by_verb: dict[str, list[str]] = {}
    for command in admissible:
        verb = command.partition(" ")[0]
        by_verb.setdefault("idle" if verb in _IDLE else verb, []).append(command)
    command = rng.choice(by_verb[rng.choice(sorted(by_verb))])
    return rng.choice(list(ODDITIES.values()))(command) if number % 4 == 3 else command

"""Options that are lists of names: `"word,linear"`, or a list of words; nothing else."""

from typing import cast

from ..errors import BadOption


def names_of(option: str, given: object) -> tuple[str, ...]:
    """The names an option gives, without the blanks around them. Raises `BadOption`."""
    words: object = given.split(",") if isinstance(given, str) else given
    if isinstance(words, list | tuple):
        names = [word for word in cast("list[object]", words) if isinstance(word, str)]
        if len(names) == len(cast("list[object]", words)):
            return tuple(name.strip() for name in names)
    raise BadOption(
        f"MathTools-v0: option {option} must be names with commas or a list of names, "
        f"got {given!r:.80}"
    )

"""Display names: `mug 2` for `mug_bar__plus_01_dot_41_...`, numbered as alfworld numbers them."""

from collections import Counter
from collections.abc import Iterable

_SEPARATOR = "_bar_"


def display_names(ids: Iterable[str]) -> dict[str, str]:
    """The name of every id: in ascending order of ids the numbers of one base count down to 1.

    An id without position is a type or an agent; it gets no number and never shows in a text.
    """
    ordered = sorted(set(ids))
    left = Counter(base(entity) for entity in ordered if _SEPARATOR in entity)
    names: dict[str, str] = {}
    for entity in ordered:
        if _SEPARATOR not in entity:
            names[entity] = f"{entity} "
            continue
        kind = base(entity)
        names[entity] = f"{kind} {left[kind]}"
        left[kind] -= 1
    return names


def base(entity: str) -> str:
    """What kind of thing an id names; the basin of a sink is told from the sink by its suffix."""
    kind = entity.split(_SEPARATOR, 1)[0]
    return f"{kind}basin" if "basin" in entity else kind

"""`Aim`: which of the six task types a goal formula is, and which types of things it is about."""

from dataclasses import dataclass
from typing import cast

from .goal import Atom, Goal
from .tables import Kind

TASK_TYPES: dict[Kind, str] = {
    "place": "pick_and_place_simple",
    "look": "look_at_obj_in_light",
    "clean": "pick_clean_then_place_in_recep",
    "heat": "pick_heat_then_place_in_recep",
    "cool": "pick_cool_then_place_in_recep",
    "two": "pick_two_obj_and_place",
}
"""The official names, as they begin the folders of the release."""

TREATED: dict[str, str] = {"clean": "isclean", "heat": "ishot", "cool": "iscool"}
"""What is true of an object after a verb was done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a game of a known task type asks for; types are ids such as `mugtype`."""

    kind: Kind
    thing: str
    """Type of the object."""
    target: str
    """Type of the receptacle to put it in; of the lamp where `kind` is `look`."""


def read_aim(goal: Goal) -> Aim | None:
    """The aim of a goal of one of the six shapes; None for any other shape."""
    types = {
        atom.args[0]: atom.args[1]
        for atom in goal.atoms
        if atom.predicate in ("objecttype", "receptacletype")
    }
    subject, place = _argument(goal, "inreceptacle", 0), _argument(goal, "inreceptacle", 1)
    kind = _kind(goal)
    if kind == "look":
        subject, place = _argument(goal, "holds", 1), _argument(goal, "istoggled", 0)
    thing, target = types.get(subject), types.get(place)
    if thing is None or target is None:
        return None
    return Aim(kind=kind, thing=thing, target=target)


def _kind(goal: Goal) -> Kind:
    asked = {atom.predicate for atom in goal.atoms}
    if "istoggled" in asked:
        return "look"
    treated = next((verb for verb, done in TREATED.items() if done in asked), None)
    if treated is not None:
        return cast("Kind", treated)
    return "two" if goal.different else "place"


def _argument(goal: Goal, predicate: str, index: int) -> str:
    found: list[Atom] = [atom for atom in goal.atoms if atom.predicate == predicate]
    return found[0].args[index] if found else ""

"""A drawn `Room` as text: the PDDL problem and the task sentence of a game.

The text is what the official games hold, minus repetition: the same predicates, the same goal
formula for each task type, ids from which the display names follow (`Cabinet_bar_02`). It loads in
the native engine and, with the official domain, in TextWorld.
"""

from collections.abc import Iterator, Mapping
from random import Random

from .rooms import Goal, Receptacle, Room, Thing
from .sentences import Wish, write_task
from .tables import Kind, tables

# The official domain names these types as constants, so every problem must declare them.
_DOMAIN_OTYPES = ("ButterKnife", "Knife")
_DOMAIN_RTYPES = ("Fridge", "Microwave", "Sink", "SinkBasin")
_ID_FORMAT = {
    "SinkBasin": "Sink_bar_{}_bar_SinkBasin",
    "BathtubBasin": "Bathtub_bar_{}_bar_BathtubBasin",
}
_PROPERTIES = (
    "pickupable",
    "isReceptacleObject",
    "cleanable",
    "heatable",
    "coolable",
    "toggleable",
    "sliceable",
)

_MOVE = """(:goal (and (exists (?r - receptacle) (exists (?o - object) (and
{extra}(objectType ?o {o}Type) (receptacleType ?r {r}Type) (inReceptacle ?o ?r))))))"""
_CHANGED: Mapping[Kind, tuple[str, str]] = {
    "clean": ("cleanable", "isClean"),
    "heat": ("heatable", "isHot"),
    "cool": ("coolable", "isCool"),
}
_LOOK = """(:goal (and
(exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and
(objectType ?ot {r}Type) (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l)
(atLocation ?a ?l) (inReceptacle ?ot ?r)))
(exists (?o - object ?a - agent) (and (objectType ?o {o}Type) (holds ?a ?o)))))"""
_TWO = """(:goal (and (exists (?r - receptacle) (exists (?o1 - object) (and
(objectType ?o1 {o}Type) (receptacleType ?r {r}Type) (inReceptacle ?o1 ?r)
(exists (?o2 - object) (and (not (= ?o1 ?o2)) (objectType ?o2 {o}Type)
(receptacleType ?r {r}Type) (inReceptacle ?o2 ?r))))))))"""


def task_line(rng: Random, goal: Goal) -> str:
    """The whole line `Your task is to: ...`, in one of its two forms."""
    wish = Wish(kind=goal.kind, thing=goal.thing.lower(), target=goal.target.lower())
    return write_task(wish, rng.randrange(2))


def problem_text(name: str, room: Room) -> str:
    """The PDDL problem of a room; equal rooms give equal bytes."""
    lines = [
        f"(define (problem plan_{name})",
        "(:domain alfred)",
        "(:objects",
        *_declarations(room),
        ")",
        "(:init",
        *_facts(room),
        ")",
        _goal_formula(room.goal),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _declarations(room: Room) -> Iterator[str]:
    yield "agent1 - agent"
    for thing in sorted({t.type for t in room.things}.union(_DOMAIN_OTYPES)):
        yield f"{thing}Type - otype"
    for place in sorted({r.type for r in room.receptacles}.union(_DOMAIN_RTYPES)):
        yield f"{place}Type - rtype"
    yield from (f"{_thing_id(thing)} - object" for thing in room.things)
    yield from (f"{_receptacle_id(r)} - receptacle" for r in room.receptacles)
    for location in sorted({0} | {r.location for r in room.receptacles}):
        yield f"{_location_id(location)} - location"


def _facts(room: Room) -> Iterator[str]:
    yield f"(atLocation agent1 {_location_id(0)})"
    for receptacle in room.receptacles:
        name = _receptacle_id(receptacle)
        yield f"(receptacleType {name} {receptacle.type}Type)"
        yield f"(receptacleAtLocation {name} {_location_id(receptacle.location)})"
        if receptacle.openable:
            yield f"(openable {name})"
    things = {thing.type for thing in room.things}
    for place in sorted({r.type for r in room.receptacles}):
        held = tables().can_contain.get(place, ())
        yield from (f"(canContain {place}Type {thing}Type)" for thing in held if thing in things)
    for thing in room.things:
        yield from _thing_facts(thing)


def _thing_facts(thing: Thing) -> Iterator[str]:
    name = _thing_id(thing)
    yield f"(objectType {name} {thing.type}Type)"
    yield f"(inReceptacle {name} {_receptacle_id(thing.holder)})"
    yield f"(objectAtLocation {name} {_location_id(thing.holder.location)})"
    held = tables().properties[thing.type]
    yield from (f"({predicate} {name})" for predicate in _PROPERTIES if predicate.lower() in held)


def _goal_formula(goal: Goal) -> str:
    if goal.kind == "look":
        return _LOOK.format(o=goal.thing, r=goal.target)
    if goal.kind == "two":
        return _TWO.format(o=goal.thing, r=goal.target)
    able, done = _CHANGED.get(goal.kind, ("", ""))
    extra = f"({able} ?o) ({done} ?o) " if able else ""
    return _MOVE.format(extra=extra, o=goal.thing, r=goal.target)


def _thing_id(thing: Thing) -> str:
    return f"{thing.type}_bar_{thing.number:02d}"


def _receptacle_id(receptacle: Receptacle) -> str:
    pattern = _ID_FORMAT.get(receptacle.type, receptacle.type + "_bar_{}")
    return pattern.format(f"{receptacle.number:02d}")


def _location_id(location: int) -> str:
    return f"loc_bar_{location:02d}"

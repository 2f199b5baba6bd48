"""`Game`: everything about one ALFWorld game that no action changes, made once from a `PackRow`.

A game is shared by all environments that play it; `World` (world.py) holds what changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import GameFileError
from . import pddl
from .aim import Aim, read_aim
from .facts import Facts
from .goal import Goal, compile_goal
from .names import display_names
from .pack import PackRow
from .pddl import Row

Deed = tuple[str, str, str]
"""A command understood: its verb, the object or the empty string, the receptacle or tool."""

CHANGING = {
    "atlocation": 1,
    "holds": 1,
    "opened": 10,
    "istoggled": 3,
    "isclean": 5,
    "ishot": 5,
    "iscool": 5,
    "issliced": 5,
    "inreceptacle": 100,
    "objectatlocation": 100,
}
"""Predicates that actions change, with the number of rows to expect when a goal is planned."""

ARITY = {
    "receptacletype": 2,
    "receptacleatlocation": 2,
    "objecttype": 2,
    "cancontain": 2,
    "inreceptacleobject": 2,
    "isreceptacleobject": 1,
    "openable": 1,
    "pickupable": 1,
    "cleanable": 1,
    "heatable": 1,
    "coolable": 1,
    "toggleable": 1,
    "sliceable": 1,
    "moveable": 1,
    "atlocation": 2,
    "holds": 2,
    "inreceptacle": 2,
    "objectatlocation": 2,
    "opened": 1,
    "isclean": 1,
    "ishot": 1,
    "iscool": 1,
    "istoggled": 1,
    "issliced": 1,
}
"""Number of ids in a row of each predicate that the engine knows."""
_STATIONS = {
    "clean": ("sinkbasintype", "sinktype"),
    "heat": ("microwavetype",),
    "cool": ("fridgetype",),
}
_BLADES = ("knifetype", "butterknifetype")


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """The constant part of a game; ids are lower-cased as in its problem text."""

    id: str
    task: str
    """The whole line `Your task is to: ...`"""
    walkthrough: tuple[str, ...]
    """Commands that win from the reset."""
    agent: str
    """Id of the player."""
    names: Mapping[str, str]
    """Display name of every id."""
    within: Mapping[str, tuple[str, ...]]
    """What each object that holds others is told to hold, in ascending order; it never changes."""
    start: Mapping[str, Facts]
    """Facts that actions change, by predicate, as they are at the reset."""
    goal: Goal
    """What wins."""
    aim: Aim | None
    """What the goal asks for, where it has the shape of one of the six task types."""
    receptacles: tuple[str, ...]
    """In ascending order, which is the order of every text."""
    place_of: Mapping[str, str]
    """Location of each receptacle."""
    here: Mapping[str, tuple[str, ...]]
    """Receptacles at each location that has any."""
    types: Mapping[str, str]
    """Type of each object and receptacle."""
    openable: frozenset[str]
    """Receptacles with a door."""
    pickupable: frozenset[str]
    """Objects that can be taken."""
    toggleable: frozenset[str]
    """Objects that can be turned on."""
    sliceable: tuple[str, ...]
    """Objects that can be sliced, in ascending order."""
    treatable: Mapping[str, frozenset[str]]
    """Objects that can be cleaned, heated, cooled, by verb."""
    stations: Mapping[str, frozenset[str]]
    """Receptacles where a verb of `treatable` works."""
    blades: frozenset[str]
    """Objects that slice."""
    fits: frozenset[tuple[str | None, ...]]
    """Pairs (receptacle type, object type) that go together."""
    travels: Mapping[str, Deed]
    """Every `go to` command; those to where the player stands are not accepted."""

    def accepts(self, receptacle: str, thing: str) -> bool:
        """Whether the receptacle takes things of this type; how full it is does not matter."""
        return (self.types.get(receptacle), self.types.get(thing)) in self.fits


def parse_problem(row: PackRow) -> Game:
    """Make the game of a pack row. Raises `GameFileError` naming the game and what is wrong."""
    try:
        problem = pddl.parse(row.pddl_problem)
        _check_arity(problem.facts)
        return _game(row, problem)
    except GameFileError as error:
        raise GameFileError(f"game {row.id!r}: {error}") from None


def _game(row: PackRow, problem: pddl.Problem) -> Game:
    facts = defaultdict(frozenset[Row], problem.facts)
    static = {predicate: facts[predicate] for predicate in ARITY if predicate not in CHANGING}
    place_of = _function(facts["receptacleatlocation"], "receptacleAtLocation")
    goal = compile_goal(problem.goal, static, CHANGING)
    names = display_names(_entities(problem.facts.values()))
    return Game(
        id=row.id,
        task=row.task,
        walkthrough=row.walkthrough,
        agent=_agent(facts["atlocation"]),
        names=names,
        within={
            holder: tuple(sorted(row[0] for row in facts["inreceptacleobject"] if row[1] == holder))
            for holder in _members(facts["isreceptacleobject"])
        },
        start={predicate: Facts(facts[predicate]) for predicate in CHANGING},
        goal=goal,
        aim=read_aim(goal),
        receptacles=tuple(sorted(place_of)),
        place_of=place_of,
        here=_by_location(place_of),
        types=_function(facts["objecttype"] | facts["receptacletype"], "a type"),
        openable=_members(facts["openable"]),
        pickupable=_members(facts["pickupable"]),
        toggleable=_members(facts["toggleable"]),
        sliceable=tuple(sorted(_members(facts["sliceable"]))),
        treatable={verb: _members(facts[f"{verb}able"]) for verb in _STATIONS},
        stations={
            verb: _of_type(facts["receptacletype"], kinds) for verb, kinds in _STATIONS.items()
        },
        blades=_of_type(facts["objecttype"], _BLADES),
        fits=facts["cancontain"],
        travels={f"go to {names[r]}": ("go", "", r) for r in sorted(place_of)},
    )


def _check_arity(facts: Mapping[str, frozenset[Row]]) -> None:
    for predicate, rows in facts.items():
        for row in rows:
            if len(row) != ARITY.get(predicate, len(row)):
                raise GameFileError(
                    f"({predicate} {' '.join(row)}) in (:init ...) takes {ARITY[predicate]} words"
                )


def _function(rows: Iterable[Row], what: str) -> dict[str, str]:
    table: dict[str, str] = {}
    for key, value in sorted(rows):
        if table.setdefault(key, value) != value:
            raise GameFileError(f"{key} has {what} twice: {table[key]} and {value}")
    return table


def _agent(rows: frozenset[Row]) -> str:
    if len(rows) != 1:
        raise GameFileError(f"expected one (atLocation AGENT LOCATION) fact, got {len(rows)}")
    return next(iter(rows))[0]


def _entities(groups: Iterable[frozenset[Row]]) -> set[str]:
    return {word for rows in groups for row in rows for word in row}


def _members(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset(row[0] for row in rows)


def _of_type(rows: Iterable[Row], kinds: tuple[str, ...]) -> frozenset[str]:
    return frozenset(entity for entity, kind in rows if kind in kinds)


def _by_location(place_of: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for receptacle in sorted(place_of):
        found.setdefault(place_of[receptacle], []).append(receptacle)
    return {place: tuple(receptacles) for place, receptacles in found.items()}

"""The scripted expert that looks inside: it wins from every state that can be won.

`next_command` reads the state of a world and names one admissible command on the way to the goal;
it keeps nothing between calls, so it may take over at any moment. There are official games with
objects that fit nowhere (paper towel rolls, in 3 of 4 cases): whoever holds one that the task does
not ask for can never win, and is told to `look`.
"""

from ..errors import Unsupported
from .aim import TREATED, Aim
from .game import Game
from .world import World

_LIMIT = 60
"""More steps than any official game takes from any state."""


def next_command(world: World) -> str:
    """The next command towards the goal. Raises `Unsupported` for a goal of no known shape."""
    aim = world.game.aim
    if aim is None:
        raise Unsupported(f"game {world.game.id!r} has a goal of no known type: no expert plays it")
    hold = world.state.hold
    if hold is None:
        return _fetch(world, aim)
    if world.game.types.get(hold) != aim.thing or not _usable(world, aim, hold):
        return _put_away(world, hold)
    if aim.kind == "look":
        return _light(world, aim)
    if _untreated(world, aim, hold):
        return _treat(world, aim, hold)
    return _deliver(world, aim, hold)


def solve(game: Game) -> tuple[str, ...] | None:
    """Commands that win from the reset; None where the expert does not find any."""
    world = World(game)
    commands: list[str] = []
    while not world.won and len(commands) < _LIMIT:
        commands.append(next_command(world))
        world.apply(commands[-1])
    return tuple(commands) if world.won else None


def _fetch(world: World, aim: Aim) -> str:
    game, done = world.game, _brought(world, aim)
    wanted = [
        (_effort(world, place) + 2 * _untreated(world, aim, thing), thing, place)
        for thing, place in world.state.facts["inreceptacle"]
        if game.types.get(thing) == aim.thing
        and thing in game.pickupable
        and thing not in done
        and _usable(world, aim, thing)
    ]
    if not wanted:
        return "look"
    _, thing, place = min(wanted)
    return _reach(world, place, f"take {game.names[thing]} from {game.names[place]}")


def _put_away(world: World, hold: str) -> str:
    game = world.game
    places = [place for place in game.receptacles if game.accepts(place, hold)]
    place = min(places, key=lambda place: _effort(world, place), default=None)
    if place is None:
        return "look"
    return _reach(world, place, f"move {game.names[hold]} to {game.names[place]}")


def _treat(world: World, aim: Aim, hold: str) -> str:
    names = world.game.names
    stations = sorted(world.game.stations[aim.kind])
    station = min(stations, key=lambda place: _effort(world, place, through=True), default=None)
    if station is None:
        return "look"
    deed = f"{aim.kind} {names[hold]} with {names[station]}"
    return _reach(world, station, deed, through=True)


def _deliver(world: World, aim: Aim, hold: str) -> str:
    names, targets = world.game.names, _targets(world, aim)
    if not targets:
        return "look"
    return _reach(world, targets[0], f"move {names[hold]} to {names[targets[0]]}")


def _light(world: World, aim: Aim) -> str:
    game, lit = world.game, world.state.facts["istoggled"].rows
    lamps = [
        ((thing,) not in lit, thing, place)
        for thing, place in world.state.facts["inreceptacle"]
        if game.types.get(thing) == aim.target and thing in game.toggleable
    ]
    if not lamps:
        return "look"
    _, lamp, place = min(lamps)
    return _reach(world, place, f"use {game.names[lamp]}", through=True)


def _targets(world: World, aim: Aim) -> list[str]:
    """Receptacles of the type asked for, the one that holds most of the objects first."""
    game = world.game
    places = [place for place in game.receptacles if game.types.get(place) == aim.target]
    if aim.kind == "two":
        return sorted(places, key=lambda place: -len(_inside(world, aim, place)))
    return sorted(places, key=lambda place: _effort(world, place))


def _brought(world: World, aim: Aim) -> list[str]:
    """Objects that already lie where they shall stay."""
    targets = _targets(world, aim) if aim.kind == "two" else []
    return _inside(world, aim, targets[0]) if targets else []


def _inside(world: World, aim: Aim, place: str) -> list[str]:
    hold, types = world.state.hold, world.game.types
    return [t for t in world.state.contents(place) if types.get(t) == aim.thing and t != hold]


def _usable(world: World, aim: Aim, thing: str) -> bool:
    return not _untreated(world, aim, thing) or thing in world.game.treatable[aim.kind]


def _untreated(world: World, aim: Aim, thing: str) -> bool:
    done = TREATED.get(aim.kind)
    return done is not None and (thing,) not in world.state.facts[done].rows


def _reach(world: World, place: str, deed: str, *, through: bool = False) -> str:
    """Go there, open it unless the deed works `through` a closed door, do the deed."""
    game, state = world.game, world.state
    if state.place != game.place_of[place]:
        return f"go to {game.names[place]}"
    if not through and place in game.openable and not state.is_open(place):
        return f"open {game.names[place]}"
    return deed


def _effort(world: World, place: str, *, through: bool = False) -> int:
    """Commands to give before the deed itself."""
    game, state = world.game, world.state
    shut = place in game.openable and not state.is_open(place)
    return (state.place != game.place_of[place]) + (shut and not through)

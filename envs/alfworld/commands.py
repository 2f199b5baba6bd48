"""Which commands the game accepts in a state, and what each of them means."""

from collections.abc import Iterator

from .game import Deed, Game
from .state import State


def deeds(game: Game, state: State) -> dict[str, Deed]:
    """Every admissible command with its meaning, in no particular order."""
    found = dict(game.travels)
    found.update(_ALWAYS)
    here = game.here.get(state.place, ())
    for receptacle in here:
        del found[f"go to {game.names[receptacle]}"]
        found.update(_at_receptacle(game, state, receptacle))
    if state.hold is not None:
        found.update(_in_hand(game, state, state.hold, here))
    return found


_ALWAYS: dict[str, Deed] = {verb: (verb, "", "") for verb in ("look", "inventory", "help")}


def _at_receptacle(game: Game, state: State, receptacle: str) -> Iterator[tuple[str, Deed]]:
    names, name = game.names, game.names[receptacle]
    yield f"examine {name}", ("examine", "", receptacle)
    reachable = receptacle not in game.openable
    if not reachable:
        reachable = state.is_open(receptacle)
        verb = "close" if reachable else "open"
        yield f"{verb} {name}", (verb, "", receptacle)
    for thing in state.contents(receptacle):
        if thing in game.toggleable:
            yield f"use {names[thing]}", ("use", thing, "")
        if reachable and state.hold is None and thing in game.pickupable:
            yield f"take {names[thing]} from {name}", ("take", thing, receptacle)


def _in_hand(
    game: Game, state: State, thing: str, here: tuple[str, ...]
) -> Iterator[tuple[str, Deed]]:
    names, name = game.names, game.names[thing]
    yield f"examine {name}", ("inspect", thing, "")
    for receptacle in here:
        reachable = receptacle not in game.openable or state.is_open(receptacle)
        if reachable and game.accepts(receptacle, thing):
            yield f"move {name} to {names[receptacle]}", ("move", thing, receptacle)
        for verb, stations in game.stations.items():
            if receptacle in stations and thing in game.treatable[verb]:
                yield f"{verb} {name} with {names[receptacle]}", (verb, thing, receptacle)
    if thing in game.blades:
        around = state.facts["objectatlocation"].rows
        for other in game.sliceable:
            if (other, state.place) in around:
                yield f"slice {names[other]} with {name}", ("slice", other, thing)

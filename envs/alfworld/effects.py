"""What each verb does to the state, and the sentence the game answers with."""

from collections.abc import Callable
from dataclasses import dataclass

from . import text
from .game import Game
from .state import State

Effect = Callable[[Game, State, str, str], str]
"""Changes the state; takes the object (or nothing) and the receptacle or tool of a deed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One verb of the game."""

    apply: Effect
    touches: frozenset[str] = frozenset()
    """The predicates whose facts it may change."""


def intro(game: Game, state: State) -> str:
    """What a reset shows; from the middle of the room, all receptacles are in sight."""
    if game.here.get(state.place):
        seen = _look(game, state, "", "")
    else:
        seen = text.MIDDLE.format(text.listing([f"a {game.names[r]}" for r in game.receptacles]))
    return f"{text.WELCOME}{seen}\n\n{game.task}"


def _contents(game: Game, state: State, receptacle: str) -> str:
    name = game.names[receptacle]
    if receptacle in game.openable and not state.is_open(receptacle):
        return f"The {name} is closed."
    seen = text.listing([f"a {game.names[thing]}" for thing in state.contents(receptacle)])
    if receptacle in game.openable:
        return f"The {name} is open. In it, you see {seen}."
    return f"On the {name}, you see {seen}."


def _look(game: Game, state: State, thing: str, receptacle: str) -> str:
    here = game.here.get(state.place, ())
    if not here:
        return text.MIDDLE.format("nothing")
    around = state.facts["objectatlocation"].rows
    beside = [
        f"a {game.names[other]}"
        for other, taken_from in state.removed
        if taken_from in here and (other, state.place) in around
    ]
    facing = text.listing([game.names[receptacle] for receptacle in here])
    return f"You are facing the {facing}. Next to it, you see {text.listing(beside)}."


def _inventory(game: Game, state: State, thing: str, receptacle: str) -> str:
    if state.hold is None:
        return "You are not carrying anything."
    return f"You are carrying: a {game.names[state.hold]}."


def _help(game: Game, state: State, thing: str, receptacle: str) -> str:
    return text.HELP


def _go(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.place = game.place_of[receptacle]
    seen = _contents(game, state, receptacle)
    return f"You arrive at {game.names[receptacle]}. {seen}"


def _open(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["opened"].add((receptacle,))
    seen = _contents(game, state, receptacle)
    return f"You open the {game.names[receptacle]}. {seen}"


def _close(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["opened"].discard((receptacle,))
    return f"You close the {game.names[receptacle]}."


def _examine(game: Game, state: State, thing: str, receptacle: str) -> str:
    return _contents(game, state, receptacle)


def _inspect(game: Game, state: State, thing: str, receptacle: str) -> str:
    name = game.names[thing]
    if thing in game.within:
        seen = text.listing([f"a {game.names[other]}" for other in game.within[thing]])
        return f"This is a normal {name}. In it, you see {seen}."
    traits = {trait for trait, facts in _TRAITS.items() if (thing,) in state.facts[facts].rows}
    if thing not in game.toggleable:
        traits.discard("on")
    return text.condition(name, traits)


def _take(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["inreceptacle"].discard((thing, receptacle))
    state.facts["objectatlocation"].discard((thing, state.place))
    state.removed.add((thing, receptacle))
    state.hold = thing
    return f"You pick up the {game.names[thing]} from the {game.names[receptacle]}."


def _move(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["inreceptacle"].add((thing, receptacle))
    state.facts["objectatlocation"].add((thing, state.place))
    state.removed.discard((thing, receptacle))
    state.hold = None
    return f"You move the {game.names[thing]} to the {game.names[receptacle]}."


def _clean(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["isclean"].add((thing,))
    return f"You clean the {game.names[thing]} using the {game.names[receptacle]}."


def _heat(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["ishot"].add((thing,))
    state.facts["iscool"].discard((thing,))
    return f"You heat the {game.names[thing]} using the {game.names[receptacle]}."


def _cool(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["iscool"].add((thing,))
    state.facts["ishot"].discard((thing,))
    return f"You cool the {game.names[thing]} using the {game.names[receptacle]}."


def _use(game: Game, state: State, thing: str, receptacle: str) -> str:
    state.facts["istoggled"].add((thing,))
    return f"You turn on the {game.names[thing]}."


def _slice(game: Game, state: State, thing: str, tool: str) -> str:
    state.facts["issliced"].add((thing,))
    return f"You sliced the {game.names[thing]} with the {game.names[tool]}."


_TRAITS = {
    "clean": "isclean",
    "hot": "ishot",
    "cool": "iscool",
    "on": "istoggled",
    "sliced": "issliced",
}
_CARRIED = frozenset(("inreceptacle", "objectatlocation", "holds"))
ACTIONS = {
    "look": Action(apply=_look),
    "inventory": Action(apply=_inventory),
    "help": Action(apply=_help),
    "examine": Action(apply=_examine),
    "inspect": Action(apply=_inspect),
    "go": Action(apply=_go, touches=frozenset(("atlocation",))),
    "open": Action(apply=_open, touches=frozenset(("opened",))),
    "close": Action(apply=_close, touches=frozenset(("opened",))),
    "take": Action(apply=_take, touches=_CARRIED),
    "move": Action(apply=_move, touches=_CARRIED),
    "clean": Action(apply=_clean, touches=frozenset(("isclean",))),
    "heat": Action(apply=_heat, touches=frozenset(("ishot", "iscool"))),
    "cool": Action(apply=_cool, touches=frozenset(("ishot", "iscool"))),
    "use": Action(apply=_use, touches=frozenset(("istoggled",))),
    "slice": Action(apply=_slice, touches=frozenset(("issliced",))),
}
"""Every verb of a deed."""

"""The sentences of the game, as the grammar of alfworld 0.4 forms them."""

from collections.abc import Sequence, Set

NOTHING_HAPPENS = "Nothing happens."
MIDDLE = "You are in the middle of a room. Looking quickly around you, you see {}."
WELCOME = "-= Welcome to TextWorld, ALFRED! =-\n\n"
HELP = """Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
"""


def listing(items: Sequence[str]) -> str:
    """`nothing`, `a`, `a, and b` or `a, b, and c`: the comma before `and` is always there."""
    if len(items) > 1:
        return f"{', '.join(items[:-1])}, and {items[-1]}"
    return items[0] if items else "nothing"


def condition(name: str, traits: Set[str]) -> str:
    """What examining a held object tells; of `traits` clean, hot, cool, on, sliced."""
    sliced = " sliced" if "sliced" in traits else ""
    warmth = "hot" if "hot" in traits else "cool" if "cool" in traits else ""
    if "clean" in traits:
        return f"This is a {f'{warmth} and ' if warmth else ''}clean{sliced} {name}."
    if warmth == "cool" and not sliced:
        return f"This is a cold {name}."
    if warmth:
        return f"This is a {warmth}{sliced} {name}."
    if "on" in traits:
        return f"This {name} is on."
    return f"This is a sliced {name}." if sliced else f"There's nothing special about {name}."

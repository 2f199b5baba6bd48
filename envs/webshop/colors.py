"""Colour words, and the reduction of an option value to the first of them that it holds."""

_WORDS = """
alabaster apricot aqua ash asphalt azure banana beige black blue blush bordeaux bronze brown
burgundy camel camo caramel champagne charcoal cheetah chestnut chocolate christmas coffee cognac
copper coral cranberry cream crystal dark denim eggplant elephant espresso fuchsia gold granite
grape graphite grass gray green grey heather indigo ivory ivy khaki lavender lemon leopard light
lilac lime magenta maroon mauve merlot midnight mint mocha multicolor mushroom mustard natural
navy nude olive orange peach pewter pink plum purple rainbow red rose royal rust sand sapphire
seashell silver skull slate steel stone stonewash sunflower tan taupe teal tiger turquoise violet
walnut wheat white wine yellow
"""
COLORS = tuple(_WORDS.split())
"""The words of WebShop's option normaliser in their order; christmas and skull are among them."""


def base_color(value: str) -> str:
    """The first colour word that occurs anywhere in a value, else the value: infrared is red."""
    return next((color for color in COLORS if color in value), value)


def paired_color(name: str, value: str) -> str:
    """As `base_color`, for a value that is compared together with its option's name.

    WebShop tests whether a colour word *equals* one of the two, and else compares the printed
    pair: so light blue keeps its light, and a name that is a colour word swallows its value.
    """
    pair = (name, value)
    return next((color for color in COLORS if color in pair), str(pair))

"""What customers of the synthetic shop ask for, in the words of people in a hurry.

A goal is made of one product and one near-duplicate of it: it always asks for something that the
near-duplicate does not have, so that looking at the first article of the right kind is not enough.
"""

import random
from collections.abc import Iterator, Sequence

from .prices import price_bound, price_of
from .tables import Kind, Phrase
from .types import Goal, Product
from .writing import fixed_parts

GOALS_PER_PRODUCT = 3
_MOST_ATTRIBUTES = 4

TEMPLATES = (
    "i am looking for {thing}{post} {opts}",
    "im looking for {thing}{post}. i want {it} {opts}",
    "i need {thing} {opts}{post}",
    "i would like to buy {thing}{post}, {opts} please",
    "find me {bare} {opts}{post}",
    "can you find {thing}{post}? i would take {it} {opts}",
    "i want to get {thing} {opts}, {it_is}{claims}",
    "help me find {thing}{post}, preferably {opts}",
    "looking for {bare}{post} {opts}",
    "i am interested in buying {thing} {opts}{post}",
    "i have been searching for {thing}{post}, {opts} if you have {it}",
    "get me {thing}{post} and pick {picks}",
    "do you have {thing} {opts}{post}",
    "please add {thing}{post} to my cart, {opts}",
    "shopping for {bare} today{claimed}. choose {picks}",
    "my sister wants {thing} {opts}{post}",
)
"""Instructions, without their price clause."""
_OPTION_WORDS: dict[str, tuple[str, ...]] = {
    "color": ("in {v}", "in the color {v}", "in {v} color"),
    "size": ("in size {v}", "size {v}", "in {v} size"),
    "flavor": ("in {v} flavor", "with the {v} flavor", "{v} flavored"),
    "scent": ("with {v} scent", "in the {v} scent", "{v} scented"),
    "style": ("in the {v} style", "{v} style", "as {v}"),
    "shape": ("in a {v} shape", "{v} shaped", "with a {v} shape"),
    "capacity": ("with {v} capacity", "with {v}", "in the {v} version"),
}
_TAKES_AN = ("a", "e", "i", "o", "u", "8", "11", "18")
_TAKES_A = ("usb", "uni", "eu", "one", "uv")


def family_goals(kind: Kind, products: Sequence[Product], tag: str) -> Iterator[Goal]:
    """The goals of a family, product by product; `tag` names the shop they are drawn for."""
    for at, product in enumerate(products):
        others = (*products[:at], *products[at + 1 :])
        for number in range(GOALS_PER_PRODUCT):
            yield _goal(kind, product, others, f"{tag}:{product.asin}/{number}")


def words_of_wishes() -> tuple[str, ...]:
    """The fixed parts of the instructions, for tokenizers trained offline."""
    texts = (*TEMPLATES, *(words for group in _OPTION_WORDS.values() for words in group))
    return tuple(part for text in texts for part in fixed_parts(text))


def _goal(kind: Kind, product: Product, others: Sequence[Product], key: str) -> Goal:
    rng = random.Random(key)
    goal_id = key.rsplit(":", 1)[1]
    attribute, option = _telling(product, others, rng)
    attributes = _wanted(product, attribute, rng)
    options = {name: rng.choice(values) for name, values in product.options}
    options.update(option)
    bound, clause = price_bound(key, price_of(product))
    return Goal(
        id=goal_id,
        asin=product.asin,
        text=_text(kind, attributes, options, rng) + clause,
        attributes=tuple(attributes),
        options=tuple(options.values()),
        price_upper=bound,
    )


def _telling(
    product: Product, others: Sequence[Product], rng: random.Random
) -> tuple[str | None, dict[str, str]]:
    """An attribute or an option of the product that one of the others lacks."""
    for other in rng.sample(others, len(others)):
        lacked = [name for name in product.attributes if name not in other.attributes]
        offered = dict(other.options)
        values = [(g, v) for g, vs in product.options for v in vs if v not in offered[g]]
        if lacked and (not values or rng.random() < 0.5):
            return rng.choice(lacked), {}
        if values:
            return None, dict([rng.choice(values)])
    # A family always has a member with another attribute, so this is for products seen alone.
    return None, {}


def _wanted(product: Product, telling: str | None, rng: random.Random) -> list[str]:
    count = rng.randint(2, min(_MOST_ATTRIBUTES, len(product.attributes)))
    pool = [name for name in product.attributes if name != telling]
    drawn = rng.sample(pool, count - (telling is not None))
    names = drawn if telling is None else [telling, *drawn]
    rng.shuffle(names)
    return names


def _text(
    kind: Kind, attributes: Sequence[str], options: dict[str, str], rng: random.Random
) -> str:
    known = {phrase.name: phrase for phrase in kind.phrases}
    phrases = [known[name] for name in attributes]
    name = rng.choice(kind.names)
    before = [p for p in phrases if p.manner == "adjective" and rng.random() < 0.6]
    rest = [phrase for phrase in phrases if phrase not in before]
    bare = " ".join([*_series([p.name for p in before]), name])
    post = _modifiers(rest, kind.plural)
    claims = _modifiers(rest, kind.plural, stated=True) or " what i asked for"
    opts = ", ".join(rng.choice(_OPTION_WORDS[g]).format(v=v) for g, v in options.items())
    return rng.choice(TEMPLATES).format(
        thing=bare if kind.plural else f"{_article(bare)} {bare}",
        bare=bare,
        post=post,
        claims=claims,
        claimed=f", {'they' if kind.plural else 'it'} should be{claims}" if rest else "",
        opts=opts,
        picks=" and ".join(options.values()),
        it="them" if kind.plural else "it",
        it_is="they should be" if kind.plural else "it should be",
    )


def _series(names: Sequence[str]) -> list[str]:
    return [f"{name}," for name in names[:-1]] + list(names[-1:])


def _modifiers(phrases: Sequence[Phrase], plural: bool, *, stated: bool = False) -> str:
    """What follows the noun, such as ` made of jute, with a mirror and for travel`.

    Stated, it completes a sentence: what stands alone as an adjective needs no `that is`.
    """
    that = "" if stated else ("that are " if plural else "that is ")
    leads = {"of": "made of ", "with": "with ", "for": "for ", "adjective": that}
    parts = [
        lead + " and ".join(p.said for p in phrases if p.manner == manner)
        for manner, lead in leads.items()
        if any(p.manner == manner for p in phrases)
    ]
    return " " + ", ".join(parts) if parts else ""


def _article(text: str) -> str:
    return "an" if text.startswith(_TAKES_AN) and not text.startswith(_TAKES_A) else "a"

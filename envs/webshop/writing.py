"""What a synthetic product says of itself: title, description, bullets.

Every attribute of a product stands somewhere on its pages; no attribute that it lacks does.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from .tables import Kind, Manner, Phrase
from .types import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What is for sale, before it has a brand, an id and texts."""

    kind: Kind
    phrases: tuple[Phrase, ...]
    """Its attributes; the first may stand in the title."""
    options: tuple[tuple[str, tuple[str, ...]], ...]
    prices: tuple[float, ...]


_SYLLABLES = """
bra cor dov elo fen gri hul iva jor kel lum mor nix ost pra qua rov syl tor ulm vex wyn yar zen
bex dru fal gom kad lir mav nor pol rud sev tuk vol zor
"""
_PARTS = tuple(_SYLLABLES.split())
_OPENERS = (
    "{brand} has made {head} for years, and this is its best yet.",
    "Meet the {head} by {brand}.",
    "{brand} presents {head} that people come back to.",
    "A {brand} favorite among our {head}.",
    "Thoughtful {head} from the people at {brand}.",
    "Another fine idea in {head}, from {brand}.",
)
_KNOWN_AS = (
    "Also known as {names}.",
    "Some call this {names}.",
    "You may be looking for {names}.",
    "Listed under {names}.",
)
_CLOSERS = (
    "Ships within three working days.",
    "Questions are answered by our staff every morning.",
    "Returns are accepted within thirty days.",
    "Designed by a family business.",
    "A thoughtful present for somebody you like.",
)
_BULLETS: dict[Manner, tuple[str, ...]] = {
    "adjective": (
        "{name}, as promised on the box",
        "{name} by design and checked by hand",
        "proudly {name}, year after year",
        "{name}, so there is one thing less to think about",
    ),
    "with": (
        "comes with {said}",
        "made with {said}, as our customers asked",
        "with {said} for your convenience",
        "you will notice it: {said}",
    ),
    "for": (
        "a good pick for {said}",
        "we had {said} in mind when we drew it",
        "just the thing for {said}",
        "recommended for {said}",
    ),
    "of": (
        "made of {said}",
        "we use {said} and nothing else",
        "{said} from a supplier we know",
        "crafted from {said}",
    ),
}
_MOST_BULLETS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The choices of words that a whole family shares, so that its members read alike."""

    title_phrases: int
    opener: str
    known_as: str
    closer: str
    bullets: tuple[int, ...]
    hint: bool
    """The title ends with the first option value."""

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        """A wording at random."""
        return cls(
            title_phrases=rng.randint(1, 2),
            opener=rng.choice(_OPENERS),
            known_as=rng.choice(_KNOWN_AS),
            closer=rng.choice(_CLOSERS),
            bullets=tuple(rng.randrange(4) for _ in range(_MOST_BULLETS)),
            hint=rng.random() < 0.5,
        )


def product_of(article: Article, asin: str, wording: Wording, rng: random.Random) -> Product:
    """The article under a new brand and model."""
    brand = "".join(rng.sample(brand_parts(), rng.randint(2, 3))).capitalize()
    model = (
        f"{rng.choice('ABCDEFGHKLMNPRSTUVWXYZ')}{rng.choice('ADEKLNRSTX')}{rng.randint(10, 999)}"
    )
    kind = article.kind
    return Product(
        asin=asin,
        title=_title(article, f"{brand} {model}", wording),
        description=_description(article, brand, wording),
        bullets=_bullets(article, wording),
        price_text=" to ".join(f"${price}" for price in article.prices),
        prices=article.prices,
        category=kind.category,
        query=kind.head,
        product_category=kind.path,
        options=article.options,
        attributes=tuple(phrase.name for phrase in article.phrases),
    )


def brand_parts() -> tuple[str, ...]:
    """The syllables that brands are made of."""
    return _PARTS


def words_of_products() -> tuple[str, ...]:
    """The fixed parts of descriptions and bullets, for tokenizers trained offline."""
    bullets = tuple(text for texts in _BULLETS.values() for text in texts)
    texts = (*_OPENERS, *_KNOWN_AS, *_CLOSERS, *bullets)
    return tuple(part for text in texts for part in fixed_parts(text))


def fixed_parts(template: str) -> Iterator[str]:
    """What of a template stands in every text that is made from it."""
    for piece in template.split("{"):
        words = piece.split("}")[-1].strip(" ,.?:")
        if words:
            yield words


def _title(article: Article, maker: str, wording: Wording) -> str:
    shown = article.phrases[: wording.title_phrases]
    before = [phrase.name for phrase in shown if phrase.manner in ("adjective", "of")]
    after = [f"{p.manner} {p.name}" for p in shown if p.manner in ("with", "for")]
    words = " ".join([*before, article.kind.head, *after])
    hint = f", {article.options[0][1][0]}" if wording.hint else ""
    return f"{maker} {_capitals(words + hint)}"


def _capitals(text: str) -> str:
    """Title case that leaves `with` and `for` alone, and letters after an apostrophe or digit."""
    words = text.split(" ")
    return " ".join(w if w in ("with", "for", "of") else w[:1].upper() + w[1:] for w in words)


def _description(article: Article, brand: str, wording: Wording) -> str:
    kind = article.kind
    parts = [wording.opener.format(brand=brand, head=_many(kind))]
    parts.append(wording.known_as.format(names=" or ".join(kind.synonyms)))
    parts.append(_clause(article.phrases[-2], 0) + ".")
    return " ".join([*parts, wording.closer])


def _many(kind: Kind) -> str:
    """The name as a plural, which needs no article."""
    if kind.plural:
        return kind.head
    return kind.head + ("es" if kind.head.endswith(("s", "x", "ch", "sh")) else "s")


def _bullets(article: Article, wording: Wording) -> tuple[str, ...]:
    """One attribute each, from the last to the first: the title tells the first ones."""
    shown = zip(reversed(article.phrases), wording.bullets, strict=False)
    return tuple(_clause(phrase, choice) for phrase, choice in shown)


def _clause(phrase: Phrase, choice: int) -> str:
    text = _BULLETS[phrase.manner][choice].format(name=phrase.name, said=phrase.said)
    return text[:1].upper() + text[1:]

"""The nouns of a product title, by a stop list: every word that is not known to be another kind.

A part-of-speech tagger would be nearer to WebShop's own; any function from a title to its nouns
may be put in the place of `title_nouns`.
"""

import re
from collections.abc import Callable

NounRule = Callable[[str], tuple[str, ...]]
"""From a title to its nouns, in lower case, with repeats."""

_WORD = re.compile(r"[^\W\d_]+")
_ASCII_WORD = re.compile(r"[A-Za-z]+")

_FUNCTION_WORDS = """
a about above across after against all also an and any are around as at be because been before
being below beneath beside between beyond both but by can come comes could do does down during
each easily either every few for from get gets give gives had has have he her here high his how if
in inside into is it its just keep keeps let like made make makes many may more most much must near
never no nor not of off on one only onto or other our out outside over own per plus since so some
such than that the their them then there these they this those through to too toward two under
until up upon us use used very via was we well were what when where which while who will with
within without would you your yours three four five six seven eight nine ten compatible suitable
including includes include featuring features help helps fit fits hold holds
"""
_ADJECTIVES = """
active adjustable advanced amazing american anti antique artificial authentic automatic basic
beautiful best better big black blank bold breathable bright brown cheap classic clean clear
clinical cold comfortable comfy compact complete contemporary cool crisp curved custom cute daily
dark deep delicate delicious double dry durable easy eco ecological elastic elegant electric
electronic essential excellent exclusive external extra fast fashionable favorite final fine firm
flat flexible floral foldable formal free french fresh friendly full fun functional funny fuzzy
general genuine gentle giant good gorgeous graphic gray great green grey handmade handy happy hard
healthy heavy hidden high hot huge ideal important independent indoor industrial instant internal
italian japanese large lightweight little long loose low luxurious luxury magnetic main manual
matte max maximum medical medium mens metallic mid mini minimalist mixed modern moisturizing
multi multifunctional multiple natural new nice non nutritious official old only open organic
original outdoor oval perfect permanent personal personalized plain plastic plush popular portable
powerful premium pretty previous private professional pure quick quiet rapid rare raw ready real
rectangular red refined regular removable resistant reusable rich right romantic round royal rustic
safe same scented second secure sensitive sexy sharp short silent similar simple single skinny
sleek sleeveless slim small smart smooth soft solid special stable standard sticky straight strong
sturdy stylish super superior sweet tall thick thin tight tiny top total traditional transparent
travel tropical true twin ultra unique universal upgraded useful vegan versatile vintage virtual
warm washable waterproof wet white wide wired wireless wonderful wooden yellow young yummy blue
"""
_UNITS = """
amp amps cc cm count ct db dozen feet fl floz foot ft gal gallon gallons gb gram grams hz inch
inches kg khz kw lb lbs liter liters litre lm lumen lumens mah mb meter meters mg mhz ml mm ohm
ounce ounces oz pc pcs piece pieces pint pk pound pounds ppi qt quart rpm sq tb volt volts vol w
watt watts xl xs xxl xxxl yard yards
"""
_NOT_NOUNS = frozenset((_FUNCTION_WORDS + _ADJECTIVES + _UNITS).split())


def title_nouns(title: str) -> tuple[str, ...]:
    """Words of two letters or more that are on no list of function words, adjectives, units."""
    words = _WORD.findall(title.lower())
    return tuple(word for word in words if len(word) > 1 and word not in _NOT_NOUNS)


def ascii_words(title: str) -> tuple[str, ...]:
    """Every run of ASCII letters: the rule of WebShop recordings made without a tagger."""
    return tuple(word.lower() for word in _ASCII_WORD.findall(title))

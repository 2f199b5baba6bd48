"""Which catalogue an environment's options mean: files, a store, or the synthetic shop.

A catalogue is opened once per process and shared by every environment that asks for the same one;
a file that was changed since is read again.
"""

import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ..download.places import SHOPS, official_shop
from ..errors import BadOption, need
from .errors import CatalogueError
from .goals import GoalList, human_goals, shuffled, synthetic_goals
from .prices import price_of
from .shelf import Shelf
from .types import Catalogue

LARGEST_SYNTHETIC = 20_000
"""Products of a synthetic shop that are kept in memory; larger ones belong in a store."""
_OPENING = threading.Lock()
_KEPT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The options that a catalogue depends on."""

    files: tuple[str, str, str] = ("", "", "")
    """Products, synthetic instructions, human instructions: JSON files, empty where not given.
    In place of products the folder of a store, `small` or `full` for those that were downloaded,
    or nothing for the synthetic shop."""
    human_goals: bool = False
    """Goals are those that people wrote, instead of synthetic ones."""
    synthetic: tuple[int, int] = (2_000, 0)
    """Number of products and seed of the synthetic shop."""


def need_extra() -> None:
    """Raise `MissingExtra` unless what a shop needs to search and to judge is installed."""
    for module in ("bm25s", "Stemmer", "rapidfuzz"):
        need(module, "webshop")


def open_catalogue(origin: Origin) -> Catalogue:
    """The catalogue of these options. Raises `BadOption` or `CatalogueError`."""
    products, instructions, human = origin.files
    if products in SHOPS:
        files = (str(official_shop(products)), instructions, human)
        return _store(replace(origin, files=files))
    if not products:
        return _synthetic(origin)
    if any("\0" in path for path in origin.files):
        raise BadOption(f"a path holds no NUL character, got {origin.files!r:.80}")
    if Path(products).is_dir():
        return _store(origin)
    if human and not origin.human_goals:
        raise BadOption("the option human_instructions needs human_goals=True")
    with _OPENING:
        return _read(origin, tuple(_stamp(path) for path in filter(None, origin.files)))


def _synthetic(origin: Origin) -> Catalogue:
    size, seed = origin.synthetic
    if any(origin.files) or origin.human_goals:
        raise BadOption(
            "the options instructions, human_instructions and human_goals belong to a file of "
            "products; give it with the option products"
        )
    if not 2 <= size <= LARGEST_SYNTHETIC:
        raise BadOption(
            f"catalogue_size must be from 2 to {LARGEST_SYNTHETIC}, got {size}; "
            "a larger shop belongs in a store, whose folder is given as products"
        )
    from .synthetic import synthetic_shop

    with _OPENING:
        return synthetic_shop(seed, size)


def _store(origin: Origin) -> Catalogue:
    folder, *given = origin.files
    if any(given):
        raise BadOption(
            f"{folder} is a store, which holds its own instructions; "
            "leave the options instructions and human_instructions out"
        )
    from .store import open_store

    with _OPENING:
        return open_store(Path(folder), human_goals=origin.human_goals)


@lru_cache(maxsize=_KEPT)
def _read(origin: Origin, stamps: tuple[tuple[int, int], ...]) -> Shelf:
    """Read files into memory; the stamps tell one state of the files from another."""
    # pydantic takes a tenth of a second to load, which other catalogues need not wait for
    from .files import ShopFile, read_human, read_synthetic

    path, instructions, human = origin.files
    held = ShopFile(Path(path))
    about = read_synthetic(Path(instructions)) if instructions else {}
    products = held.products(about)
    if origin.human_goals:
        given = read_human(Path(human)) if human else {}
        goals = human_goals(products, {**held.human_wishes(), **given}, price_of)
    else:
        wishes = {asin: wish for asin, row in about.items() if (wish := row.wish()) is not None}
        goals = synthetic_goals(products, {**held.wishes(), **wishes}, price_of)
    if not goals:
        raise CatalogueError(_without_goals(origin))
    return Shelf(products, GoalList(shuffled(goals)))


def _without_goals(origin: Origin) -> str:
    path, *given = origin.files
    file = given[origin.human_goals]
    option = "human_instructions" if origin.human_goals else "instructions"
    where = f"neither it nor {file} has" if file else "it has no"
    return (
        f"{path}: {where} instructions for its products, so there is nothing to buy; "
        f"expected them in the file of the option {option}"
    )


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}; expected a file of WebShop") from None
    return found.st_mtime_ns, found.st_size

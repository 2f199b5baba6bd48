"""The real small catalogue, where it is to be had, and a small one of our own."""

import json
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from small_shop import small_shop

from gigym.envs.webshop import GoalList, Instruction, Product, Shelf
from gigym.envs.webshop.files import ShopFile, read_synthetic
from gigym.envs.webshop.nouns import ascii_words
from gigym.envs.webshop.prices import midpoint_of


@pytest.fixture
def shop() -> Shelf:
    return small_shop()


@pytest.fixture(scope="session")
def shop_data(test_data: Path) -> Path:
    return test_data / "webshop"


@pytest.fixture(scope="session")
def real_files(shop_data: Path) -> Mapping[str, str]:
    """The options that name the real small catalogue."""
    return {
        "products": str(shop_data / "products_1000.json.xz"),
        "instructions": str(shop_data / "items_ins_v2_1000.json"),
    }


@pytest.fixture(scope="session")
def real_products(real_files: Mapping[str, str]) -> tuple[Product, ...]:
    return ShopFile(Path(real_files["products"])).products({})


@pytest.fixture(scope="session")
def real_wishes(real_files: Mapping[str, str]) -> Mapping[str, Instruction]:
    rows = read_synthetic(Path(real_files["instructions"]))
    return {asin: wish for asin, row in rows.items() if (wish := row.wish()) is not None}


@pytest.fixture(scope="session")
def recorded_shop(real_products: tuple[Product, ...]) -> Shelf:
    """The catalogue under the rules of the recordings: ASCII words are nouns, ranges midpoints."""
    return Shelf(real_products, GoalList(()), noun_rule=ascii_words, pricing=midpoint_of)


@pytest.fixture(scope="session")
def recordings(shop_data: Path) -> list[dict[str, Any]]:
    with lzma.open(shop_data / "page_traces.json.xz", "rt", encoding="utf-8") as stream:
        return json.load(stream)


@pytest.fixture(scope="session")
def reward_vectors(shop_data: Path) -> list[dict[str, Any]]:
    return json.loads((shop_data / "reward_vectors.json").read_text())["vectors"]

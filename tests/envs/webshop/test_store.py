"""The store: the same shop as in memory, whole or refused, safe to share."""

import multiprocessing
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gigym
from gigym.envs import BadOption
from gigym.envs.webshop import WebShopEnv
from gigym.envs.webshop.convert import write_synthetic
from gigym.envs.webshop.errors import CatalogueError
from gigym.envs.webshop.goals import Instruction
from gigym.envs.webshop.packing import Article, Packer, article_text, read_article
from gigym.envs.webshop.postings import ARRAYS, Postings
from gigym.envs.webshop.search import K1, Analyzer, B
from gigym.envs.webshop.shelf import Shelf
from gigym.envs.webshop.store import Store, open_store
from gigym.envs.webshop.synthetic import synthetic_shop
from gigym.envs.webshop.types import Goal, Product
from gigym.envs.webshop.wishlist import Wishes, pack_wishes, read_wishes

SEED, SIZE = 5, 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "shop"
    write_synthetic(path, SEED, SIZE)
    return path


@pytest.fixture
def shop(folder: Path) -> Store:
    return open_store(folder)


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return synthetic_shop(SEED, SIZE)


def test_products_nouns_prices_and_ids_are_those_of_the_shop_in_memory(
    shop: Store, shelf: Shelf
) -> None:
    assert len(shop) == len(shelf) == SIZE
    for index in range(SIZE):
        assert shop.product(index) == shelf.product(index)
        assert shop.nouns(index) == shelf.nouns(index)
        assert shop.price(index) == shelf.price(index)
        assert shop.index_of(shelf.product(index).asin) == index


def test_goals_their_order_and_splits_are_those_of_the_shop_in_memory(
    shop: Store, shelf: Shelf
) -> None:
    assert len(shop.goals) == len(shelf.goals) == 3 * SIZE
    for index in range(0, 3 * SIZE, 5):
        assert shop.goals[index] == shelf.goals[index]
        assert shop.goals.index_of(shelf.goals[index].id) == index
    for split in ("train", "dev", "test"):
        assert list(shop.goals.split(split)) == list(shelf.goals.split(split))


def test_searches_rank_as_in_memory(shop: Store, shelf: Shelf) -> None:
    for index in range(0, 3 * SIZE, 9):
        text = shelf.goals[index].text
        assert shop.search(text) == shelf.search(text)
    for text in ("", "zzz", "the of", "boots " * 50, "\ud800 boots", "x" * 5_000):
        assert shop.search(text) == shelf.search(text)


def test_lists_of_category_query_and_attribute_are_those_of_the_shop_in_memory(
    shop: Store, shelf: Shelf
) -> None:
    row = shelf.product(17)
    assert shop.where("category", row.category) == shelf.where("category", row.category)
    assert shop.where("query", row.query) == shelf.where("query", row.query)
    assert shop.where("attribute", row.attributes[0]) == shelf.where("attribute", row.attributes[0])
    assert shop.where("query", "no such query") == ()


def test_every_page_of_an_episode_is_the_same_on_both(folder: Path, shelf: Shelf) -> None:
    stored, held = (WebShopEnv(products=shop) for shop in (folder, shelf))
    for seed in range(5):
        replies = [env.reset(seed=seed) for env in (stored, held)]
        assert replies[0] == replies[1]
        goal = shelf.goals[shelf.goals.split("train")[seed]]
        clicks = [f"click[{goal.asin.lower()}]", *(f"click[{value}]" for value in goal.options)]
        title = shelf.product(shelf.index_of(goal.asin)).title
        for action in (f"search[{title}]", *clicks, "click[features]", "click[< prev]"):
            assert stored.step(action) == held.step(action)
        assert (
            stored.step("click[buy now]")[1:3] == held.step("click[buy now]")[1:3] == (10.0, True)
        )


def test_unknown_ids_and_places_are_refused(shop: Store) -> None:
    for asin in ("", "NOSUCH", "\ud800", "x" * 10_000):
        with pytest.raises(KeyError):
            shop.index_of(asin)
        with pytest.raises(KeyError):
            shop.goals.index_of(f"{asin}/0")
    for index in (-1, SIZE):
        with pytest.raises(IndexError):
            shop.product(index)
    for index in (-1, 3 * SIZE):
        with pytest.raises(IndexError):
            shop.goals[index]
    with pytest.raises(KeyError):
        shop.goals.split("valid")


def test_a_store_is_opened_once_per_process(folder: Path) -> None:
    assert open_store(folder) is open_store(folder / ".." / folder.name)


def test_a_store_that_was_replaced_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "shop"
    write_synthetic(path, 1, 20)
    first = open_store(path)
    shutil.rmtree(path)
    write_synthetic(path, 2, 30)
    assert len(first) == 20 and len(open_store(path)) == 30


def test_threads_share_a_store(shop: Store, shelf: Shelf) -> None:
    texts = [shelf.goals[index].text for index in range(40)]
    with ThreadPoolExecutor(8) as crew:
        found = list(crew.map(lambda text: (shop.search(text), shop.product(0)), texts))
    assert found == [(shelf.search(text), shelf.product(0)) for text in texts]


def _first_found(folder: Path, text: str) -> str:
    """A child has the opened store of its parent."""
    shop = open_store(folder)
    return shop.product(shop.search(text)[0]).title


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_goes_on_reading(folder: Path, shelf: Shelf) -> None:
    text = shelf.goals[0].text
    here = _first_found(folder, text)
    with multiprocessing.get_context("fork").Pool(2) as crew:
        there = crew.starmap_async(_first_found, [(folder, text)] * 4).get(timeout=60)
    assert there == [here] * 4


def test_the_same_shop_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    write_synthetic(again, SEED, SIZE)
    assert (again / "store.json").read_bytes() == (folder / "store.json").read_bytes()


def test_no_file_of_a_store_is_a_pickle(folder: Path) -> None:
    for path in folder.iterdir():
        begin = path.read_bytes()[:16]
        assert begin[:1] == b"{" or begin.startswith((b"SQLite format 3", b"\x93NUMPY"))
        if path.suffix == ".npy":
            assert np.load(path, allow_pickle=False).dtype.kind in "iuf"


def test_a_store_without_the_wanted_goals_says_which_it_has(folder: Path) -> None:
    with pytest.raises(CatalogueError, match="no human goals in this store, it holds 1800 synth"):
        gigym.make("WebShop-v0", products=str(folder), human_goals=True)


def test_a_store_is_never_written_over(folder: Path) -> None:
    with pytest.raises(BadOption, match="exists"):
        write_synthetic(folder, 0, 10)


def test_a_broken_off_run_leaves_nothing_and_a_leftover_is_cleared(tmp_path: Path) -> None:
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "shop"
    with pytest.raises(KeyboardInterrupt):
        write_synthetic(path, 0, 1_200, stop)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "shop.part").mkdir()
    (tmp_path / "shop.part" / "shop.sqlite").write_bytes(b"half a file")
    assert write_synthetic(path, 0, 20).products == 20
    assert list(tmp_path.iterdir()) == [path]


def test_progress_is_told_in_products(tmp_path: Path) -> None:
    told: list[int] = []
    write_synthetic(tmp_path / "shop", 0, 2_100, told.append)
    assert told == [1_000, 2_000, 2_100]


@pytest.mark.parametrize("chunk", [1, 7, 1_000])
def test_the_arrays_are_those_of_bm25s_bit_for_bit(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import bm25s

    monkeypatch.setattr("gigym.envs.webshop.postings._CHUNK", chunk)
    texts = ["a red red shoe", "", "the", "blue shoe", "red hat for a red day", "shoe " * 300]
    texts += [product_text(index) for index in range(30)]
    postings = Postings(tmp_path)
    for text in texts:
        postings.add(text)
    postings.finish()
    analyzer, known = Analyzer(), postings.vocabulary
    rows = [[known[stem] for stem in analyzer.stems(text)] for text in texts]
    reference = bm25s.BM25(method="lucene", k1=K1, b=B)
    reference.index((rows, dict(known)), create_empty_token=False, show_progress=False)
    for name, path in zip(("data", "indices", "indptr"), ARRAYS, strict=True):
        assert np.array_equal(np.load(tmp_path / path), reference.scores[name])


def product_text(index: int) -> str:
    row = synthetic_shop(SEED, SIZE).product(index)
    return f"{row.title} {row.description}"


TEXT = st.text(st.characters(), max_size=30)
PRODUCTS = st.builds(
    Product,
    asin=TEXT,
    title=TEXT,
    description=TEXT,
    bullets=st.lists(TEXT, max_size=3).map(tuple),
    price_text=TEXT,
    prices=st.lists(st.floats(0, 1e6), max_size=2).map(tuple),
    category=TEXT,
    query=TEXT,
    product_category=TEXT,
    options=st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=3).map(tuple)), max_size=2).map(tuple),
    attributes=st.lists(TEXT, max_size=3).map(tuple),
    rating=TEXT,
)


@given(product=PRODUCTS, dictionary=st.binary(max_size=100))
@settings(max_examples=60, deadline=None)
def test_a_packed_product_comes_back_as_it_was(product: Product, dictionary: bytes) -> None:
    packer = Packer(dictionary)
    article = Article(product=product, price=1.5, nouns=("a", "b"))
    packed = packer.pack(article_text(article))
    assert read_article(Packer(dictionary).unpack(packed)) == article


@given(ids=st.lists(TEXT, min_size=1, max_size=3), text=TEXT, bound=st.floats(0, 1e6))
@settings(max_examples=40, deadline=None)
def test_stored_wishes_come_back_as_they_were(ids: list[str], text: str, bound: float) -> None:
    goals = tuple(
        Goal(id=i, asin=i, text=text, attributes=(text,), options=(), price_upper=bound)
        for i in ids
    )
    wishes = Wishes(origin="given", goals=goals)
    assert read_wishes(pack_wishes(wishes)) == wishes


@given(seed=st.integers(0, 10**6), size=st.integers(2, 12))
@settings(max_examples=8, deadline=None)
def test_any_small_shop_is_the_same_from_its_store(seed: int, size: int) -> None:
    with tempfile.TemporaryDirectory() as room:
        write_synthetic(Path(room) / "shop", seed, size)
        stored, held = open_store(Path(room) / "shop"), synthetic_shop(seed, size)
        assert [stored.product(i) for i in range(size)] == [held.product(i) for i in range(size)]
        assert [stored.goals[i] for i in range(3 * size)] == [
            held.goals[i] for i in range(3 * size)
        ]
        assert stored.search("soft shoes or food") == held.search("soft shoes or food")


@given(
    values=st.lists(st.integers(0, 3), max_size=3),
    wishes=st.lists(st.lists(TEXT, max_size=2).map(tuple), min_size=1, max_size=3),
    origin=st.sampled_from(["synthetic", "human"]),
)
@settings(deadline=None)
def test_goals_are_counted_as_they_are_made(
    values: list[int], wishes: list[tuple[str, ...]], origin: Literal["synthetic", "human"]
) -> None:
    options = tuple((f"g{n}", tuple(map(str, range(count)))) for n, count in enumerate(values))
    product = replace(synthetic_shop(SEED, SIZE).product(0), options=options)
    instructions = tuple(Instruction(text="a thing", attributes=names) for names in wishes)
    made = Wishes(origin=origin, instructions=instructions)
    assert made.count_for(product) == len(made.made_for(product))
